package io.pensieve.server;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Puts and deletes keys of its own, with conditions and without, until the server is killed, and
 * knows what must be there after that: whatever was acknowledged, and perhaps the one write that
 * was under way.
 */
final class KillWriteClient extends KillClient {
  private static final int KEYS = 5;
  private static final Entry ABSENT = new Entry("", 0);
  private static final Pattern ANSWER =
      Pattern.compile("(?s)HTTP/1.1 (\\d+) .*?(?:ETag: \"(\\d+)\".*?)?\r\n\r\n(.*)");

  private final Map<String, Entry> entries = new HashMap<>();
  private String keyUnderWay = "";
  private String valueUnderWay = "";
  private int requests;

  /** A value and its version; version 0 stands for no entry. */
  private record Entry(String value, long version) {}

  private record Answer(int status, long version, String body) {
    static Answer of(String text) throws IOException {
      Matcher parts = ANSWER.matcher(text);
      if (!parts.matches()) {
        throw new IOException("no answer: " + text);
      }
      String version = parts.group(2);
      return new Answer(
          Integer.parseInt(parts.group(1)),
          version == null ? 0 : Long.parseLong(version),
          parts.group(3));
    }
  }

  KillWriteClient(int port, String name, Random random, Progress progress) {
    super(port, name, random, progress);
  }

  @Override
  void writeOnce(HostileConnection connection) throws IOException {
    String key = name + "-" + random.nextInt(KEYS);
    Entry before = entries.getOrDefault(key, ABSENT);
    boolean isPut = random.nextInt(3) != 0;
    String value = isPut ? "value " + requests++ : "";
    long asked = random.nextInt(4) == 0 ? before.version() + 1 : before.version();
    boolean isConditional = random.nextBoolean() && asked != 0;
    boolean fails = isConditional && asked != before.version();
    keyUnderWay = key;
    valueUnderWay = fails ? before.value() : value;
    String header = isConditional ? "If-Match: \"" + asked + "\"\r\n" : "";
    Answer answer = ask(connection, isPut ? "PUT" : "DELETE", key, header, value);
    int expected = fails ? 412 : isPut && before.version() == 0 ? 201 : 204;
    if (answer.status() != expected || (fails && answer.version() != before.version())) {
      throw new AssertionError(answer + " instead of " + expected + ", " + key + " was " + before);
    }
    if (!fails) {
      entries.put(key, isPut ? new Entry(value, answer.version()) : ABSENT);
    }
    keyUnderWay = "";
  }

  private static Answer ask(
      HostileConnection connection, String method, String key, String header, String body)
      throws IOException {
    String length = header + "Content-Length: " + body.length() + "\r\n\r\n" + body;
    connection.send(method + " /v1/kv/" + key + " HTTP/1.1\r\nHost: localhost\r\n" + length);
    return Answer.of(connection.readResponse());
  }

  @Override
  void assertFoundAgain(int serverPort) throws IOException {
    try (HostileConnection connection = new HostileConnection(serverPort)) {
      for (int i = 0; i < KEYS; i++) {
        String key = name + "-" + i;
        Answer answer = ask(connection, "GET", key, "", "");
        Entry found = answer.status() == 404 ? ABSENT : new Entry(answer.body(), answer.version());
        Entry expected = entries.getOrDefault(key, ABSENT);
        boolean wasUnderWay = key.equals(keyUnderWay) && found.value().equals(valueUnderWay);
        if (!found.equals(expected) && !wasUnderWay) {
          throw new AssertionError(key + ": " + found + ", acknowledged was " + expected);
        }
      }
    }
  }
}
