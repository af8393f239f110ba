package io.pensieve.server;

import java.io.IOException;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Adds to a number that others add to as well, and writes all its keys as one, until the server is
 * killed. After that the number is at least what was acknowledged and at most what was sent, and of
 * each batch all is there or nothing: all, if it was acknowledged.
 */
final class KillBatchClient extends KillClient {
  private static final int KEYS = 20;
  private static final String NOTHING = "0";
  private static final Pattern ANSWER = Pattern.compile("(?s)HTTP/1.1 (\\d+) .*?\r\n\r\n(.*)");

  private final Counter counter;
  private int batchesSent;
  private int batchesAcknowledged;

  /** A number on the server that several add to. */
  static final class Counter {
    private final String key;
    private final AtomicInteger sent = new AtomicInteger();
    private final AtomicInteger acknowledged = new AtomicInteger();

    Counter(String key) {
      this.key = key;
    }
  }

  KillBatchClient(int port, String name, Random random, Counter counter, Progress progress) {
    super(port, name, random, progress);
    this.counter = counter;
  }

  @Override
  void writeOnce(HostileConnection connection) throws IOException {
    counter.sent.incrementAndGet();
    if (random.nextBoolean()) {
      batchesSent++;
      post(connection, "/v1/batch", batch(batchesSent));
      batchesAcknowledged = batchesSent;
    } else {
      post(connection, "/v1/incr/" + counter.key, "{\"by\":1}");
    }
    counter.acknowledged.incrementAndGet();
  }

  private String batch(int number) {
    String puts =
        IntStream.range(0, KEYS)
            .mapToObj(i -> "{\"op\":\"put\",\"key\":\"" + key(i) + "\",\"value\":\"" + number)
            .collect(Collectors.joining("\"},", "", "\"}"));
    String incr = ",{\"op\":\"incr\",\"key\":\"" + counter.key + "\",\"by\":1}";
    return "{\"atomic\":true,\"ops\":[" + puts + incr + "]}";
  }

  private String key(int i) {
    return name + "-" + i;
  }

  private static void post(HostileConnection connection, String path, String body)
      throws IOException {
    String head =
        "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    Matcher answer = ask(connection, head + "Content-Length: " + body.length() + "\r\n\r\n" + body);
    if (!answer.group(1).equals("200")) {
      throw new AssertionError(answer.group());
    }
  }

  private static Matcher ask(HostileConnection connection, String request) throws IOException {
    String text = connection.send(request).readResponse();
    Matcher answer = ANSWER.matcher(text);
    if (!answer.matches()) {
      throw new IOException("no answer: " + text);
    }
    return answer;
  }

  @Override
  void assertFoundAgain(int serverPort) throws IOException {
    try (HostileConnection connection = new HostileConnection(serverPort)) {
      int sum = Integer.parseInt(get(connection, counter.key));
      if (sum < counter.acknowledged.get() || sum > counter.sent.get()) {
        throw new AssertionError(
            counter.key + ": " + counter.acknowledged + " <= " + sum + " <= " + counter.sent);
      }
      Set<String> found = new HashSet<>();
      for (int i = 0; i < KEYS; i++) {
        found.add(get(connection, key(i)));
      }
      if (!found.equals(Set.of("" + batchesAcknowledged))
          && !found.equals(Set.of("" + batchesSent))) {
        throw new AssertionError(
            name + ": " + found + " of " + batchesAcknowledged + " or " + batchesSent);
      }
    }
  }

  private static String get(HostileConnection connection, String key) throws IOException {
    Matcher answer = ask(connection, "GET /v1/kv/" + key + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return answer.group(1).equals("404") ? NOTHING : answer.group(2);
  }
}
