package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.Depth;
import io.pensieve.server.Seed;
import java.util.ArrayList;
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
  private static final int ROUNDS = Depth.of(3, 10, 500);
  private static final int REQUESTS = 60;
  private static final int KEYS = 4;
  private static final long SEED = Seed.choose();

  private final Map<String, KeyHistory> histories = new ConcurrentHashMap<>();

  /** One request and its answer. {@code condition} is the version that is asked for, if any. */
  private record Call(
      String method,
      Optional<Long> condition,
      String sent,
      int status,
      KeyHistory.State told,
      long startNanos,
      long endNanos)
      implements KeyHistory.Call {

    @Override
    public Optional<KeyHistory.State> after(KeyHistory.State before) {
      if (method.equals("GET")) {
        boolean fits = status == (before.isPresent() ? 200 : 404) && told.equals(before);
        return fits ? Optional.of(before) : Optional.empty();
      }
      if (condition.isPresent() && condition.get() != before.version()) {
        boolean fits = status == 412 && told.version() == before.version();
        return fits ? Optional.of(before) : Optional.empty();
      }
      return method.equals("PUT") ? afterPut(before) : afterDelete();
    }

    private Optional<KeyHistory.State> afterPut(KeyHistory.State before) {
      boolean fits =
          status == (before.isPresent() ? 204 : 201) && told.version() > before.version();
      return fits ? Optional.of(new KeyHistory.State(sent, told.version())) : Optional.empty();
    }

    private Optional<KeyHistory.State> afterDelete() {
      return status == 204 ? Optional.of(KeyHistory.State.ABSENT) : Optional.empty();
    }
  }

  @Test
  void everyAnswerFitsIntoOneOrderOfEachKey() throws Exception {
    try (ServerUnderTest server = ServerUnderTest.start()) {
      for (int round = 0; round < ROUNDS; round++) {
        runRound(server, round);
      }
    }
    assertEquals(ROUNDS * KEYS, histories.size());
    histories.forEach(
        (key, history) -> assertTrue(history.isLinearizable(), "seed " + SEED + ", " + key));
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
        Call call = called(client, key, method(random), condition, name + "-" + i);
        lastSeen.put(key, call.told().version());
        histories.computeIfAbsent(key, unknown -> new KeyHistory()).add(call);
      }
    }
    return null;
  }

  private static String method(Random random) {
    return List.of("GET", "GET", "PUT", "PUT", "PUT", "DELETE").get(random.nextInt(6));
  }

  private static Call called(
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
    RawClient.Response answer = client.receive();
    long endNanos = System.nanoTime();
    String tag = answer.header("etag").replace("\"", "");
    long told = tag.isEmpty() ? 0 : Long.parseLong(tag);
    String read = answer.status() == 200 ? answer.body() : "";
    return new Call(
        method,
        condition,
        value,
        answer.status(),
        new KeyHistory.State(read, told),
        startNanos,
        endNanos);
  }

  private static Call put(String value, long version, int status, long startNanos, long endNanos) {
    KeyHistory.State told = new KeyHistory.State("", version);
    return new Call("PUT", Optional.empty(), value, status, told, startNanos, endNanos);
  }

  private static Call get(String value, long version, long startNanos, long endNanos) {
    KeyHistory.State told = new KeyHistory.State(value, version);
    int status = version == 0 ? 404 : 200;
    return new Call("GET", Optional.empty(), "", status, told, startNanos, endNanos);
  }

  private static boolean isLinearizable(Call... calls) {
    KeyHistory history = new KeyHistory();
    for (Call call : calls) {
      history.add(call);
    }
    return history.isLinearizable();
  }

  @Test
  void theCheckerTakesAnOrderThatOverlapsAllow() {
    assertTrue(isLinearizable(put("a", 1, 201, 0, 1), put("b", 2, 204, 2, 9), get("a", 1, 3, 4)));
    assertTrue(isLinearizable(put("a", 1, 201, 0, 1), put("b", 2, 204, 2, 9), get("b", 2, 3, 4)));
  }

  @Test
  void theCheckerRefusesWhatNoOrderExplains() {
    // A read of what was overwritten before the read began.
    assertFalse(isLinearizable(put("a", 1, 201, 0, 1), put("b", 2, 204, 2, 3), get("a", 1, 4, 5)));
    // Two reads that see an overlapping write come and go.
    assertFalse(
        isLinearizable(
            put("a", 1, 201, 0, 1), put("b", 2, 204, 2, 9), get("b", 2, 3, 4), get("a", 1, 5, 6)));
    // A read before the write began; a write lost; a key that is new twice; a version that falls.
    assertFalse(isLinearizable(get("a", 1, 0, 1), put("a", 1, 201, 2, 3)));
    assertFalse(isLinearizable(put("a", 1, 201, 0, 1), get("", 0, 2, 3)));
    assertFalse(isLinearizable(put("a", 1, 201, 0, 1), put("b", 2, 201, 0, 1)));
    assertFalse(isLinearizable(put("a", 2, 201, 0, 1), put("b", 1, 204, 2, 3)));
    // A conditional write that was done, though another one had been done before it.
    KeyHistory.State second = new KeyHistory.State("", 3);
    Call stale = new Call("PUT", Optional.of(1L), "c", 204, second, 4, 5);
    assertFalse(isLinearizable(put("a", 1, 201, 0, 1), put("b", 2, 204, 2, 3), stale));
    Call inTime = new Call("PUT", Optional.of(2L), "c", 204, second, 4, 5);
    assertTrue(isLinearizable(put("a", 1, 201, 0, 1), put("b", 2, 204, 2, 3), inTime));
  }
}
