package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.server.linearizability.Answer;
import io.pensieve.server.linearizability.LinearizabilityChecker;
import io.pensieve.server.linearizability.Operation;
import io.pensieve.server.linearizability.Request;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Many clients read, write and delete the same few keys, with conditions and without. Each answer,
 * with its version, is one that a server could give that does one request after the other.
 */
@Tag(Depth.TAG)
final class LinearizabilityTest {
  private static final int CLIENTS = 8;
  private static final int ROUNDS = Depth.of(2, 10, 500);
  private static final int REQUESTS = 60;
  private static final int KEYS = 4;
  private static final long SEED = Seed.choose();

  private final Map<String, List<Operation>> histories = new ConcurrentHashMap<>();

  @Test
  void everyAnswerFitsIntoOneOrderOfEachKey() throws Exception {
    try (ServerUnderTest server = ServerUnderTest.start()) {
      for (int round = 0; round < ROUNDS; round++) {
        runRound(server, round);
      }
    }
    assertEquals(ROUNDS * KEYS, histories.size());
    histories.forEach(
        (key, history) ->
            assertEquals(
                Optional.empty(),
                LinearizabilityChecker.check(history, Duration.ZERO),
                () -> "seed " + SEED + ", " + key));
  }

  private void runRound(ServerUnderTest server, int round) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
    List<Future<?>> clients = new ArrayList<>();
    for (int id = 0; id < CLIENTS; id++) {
      String name = round + "-" + id;
      Random random = new Random(SEED + (long) round * CLIENTS + id);
      clients.add(threads.submit(() -> run(server, "round " + round, name, random)));
    }
    threads.shutdown();
    for (Future<?> client : clients) {
      client.get();
    }
  }

  private Void run(ServerUnderTest server, String round, String name, Random random)
      throws Exception {
    Map<String, Long> lastSeen = new HashMap<>();
    try (RawClient client = server.connect()) {
      for (int i = 0; i < REQUESTS; i++) {
        String key = round + " key " + random.nextInt(KEYS);
        Optional<Long> condition =
            random.nextBoolean()
                ? Optional.of(random.nextInt(4) == 0 ? 0L : lastSeen.getOrDefault(key, 0L))
                : Optional.empty();
        Operation done = called(client, key, method(random), condition, name + "-" + i);
        lastSeen.put(key, versionTold(done.answer()));
        histories
            .computeIfAbsent(key, unknown -> Collections.synchronizedList(new ArrayList<>()))
            .add(done);
      }
    }
    return null;
  }

  private static String method(Random random) {
    return List.of("GET", "GET", "PUT", "PUT", "PUT", "DELETE").get(random.nextInt(6));
  }

  private static long versionTold(Answer answer) {
    if (answer instanceof Answer.Found found) {
      return found.version();
    }
    if (answer instanceof Answer.Written written) {
      return written.version();
    }
    return answer instanceof Answer.ConditionFailed failed ? failed.version() : 0;
  }

  private static Operation called(
      RawClient client, String key, String method, Optional<Long> version, String value)
      throws Exception {
    boolean isPut = method.equals("PUT");
    // That there be no entry cannot be asked of a DELETE in a way that would change anything.
    Optional<Long> condition =
        version.filter(asked -> isPut || (method.equals("DELETE") && asked != 0));
    String header =
        condition
            .map(asked -> asked == 0 ? "If-None-Match: *" : "If-Match: \"" + asked + "\"")
            .orElse("X: y");
    String head =
        method + " /v1/kv/" + ServerUnderTest.escaped(key) + " HTTP/1.1\r\nHost: test\r\n";
    String body = isPut ? value : "";
    long startNanos = System.nanoTime();
    client.send(head + header + "\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
    RawClient.Response response = client.receive();
    long endNanos = System.nanoTime();
    return new Operation(
        "client", request(method, condition, value), answer(response), startNanos, endNanos);
  }

  private static Request request(String method, Optional<Long> condition, String value) {
    long asked = condition.orElse(Request.ANY_VERSION);
    return switch (method) {
      case "GET" -> new Request.Get();
      case "PUT" -> new Request.Put(value, asked, 0);
      default -> new Request.Delete(asked);
    };
  }

  private static Answer answer(RawClient.Response response) {
    String tag = response.header("etag").replace("\"", "");
    long version = tag.isEmpty() ? 0 : Long.parseLong(tag);
    return switch (response.status()) {
      case 200 -> new Answer.Found(response.body(), version);
      case 201 -> new Answer.Written(version, true);
      case 204 -> version == 0 ? new Answer.Removed() : new Answer.Written(version, false);
      case 404 -> new Answer.Missing();
      case 412 -> new Answer.ConditionFailed(version);
      default -> throw new AssertionError(response);
    };
  }
}
