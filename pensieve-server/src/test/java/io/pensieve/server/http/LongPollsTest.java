package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Log;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.value.WaitLimits;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that wait until an entry is another one. */
final class LongPollsTest {
  private static final int POLLS_MAX = 300;
  private static final Duration SILENCE_MAX = Duration.ofSeconds(1);
  private static final int ATTEMPTS_MAX = 10;

  private final Path folder;
  private final List<RawClient> clients = new ArrayList<>();
  private ServerUnderTest server;
  private KvClient kv;

  LongPollsTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @BeforeEach
  void start() throws Exception {
    server =
        ServerUnderTest.over(
            folder, new SizeLimits(1024, 1 << 20, 16 << 10, WaitLimits.of(POLLS_MAX, POLLS_MAX)));
    kv = new KvClient(server);
    kv.put("k", new byte[] {'1'});
  }

  @AfterEach
  void nobodyIsLeftWaiting() throws Exception {
    for (RawClient client : clients) {
      client.close();
    }
    Await.until("nobody waits", () -> server.http.routeTable().pollsParked() == 0);
    Await.until("nothing in flight", () -> server.http.requestsInFlight() == 0);
    server.close();
  }

  private String tag(String key) throws Exception {
    return KvClient.header(kv.get(key), "ETag");
  }

  private RawClient poll(String key, String wait, String tags) throws Exception {
    RawClient client = server.connect();
    clients.add(client);
    return client.send(
        "GET /v1/kv/"
            + key
            + "?wait="
            + wait
            + " HTTP/1.1\r\nHost: test\r\nIf-None-Match: "
            + tags
            + "\r\n\r\n");
  }

  private void awaitParked(int polls) throws Exception {
    Await.until("all wait", () -> server.http.routeTable().pollsParked() == polls);
  }

  @Test
  void aChangeEndsTheWaitOfAllWhoWaitForItAndOfNobodyElse() throws Exception {
    kv.put("other", new byte[] {'1'});
    for (int i = 0; i < POLLS_MAX - 1; i++) {
      poll("k", "1m", tag("k"));
    }
    RawClient other = poll("other", "1m", tag("other"));
    awaitParked(POLLS_MAX);
    kv.put("unrelated", new byte[] {'x'});
    kv.put("k", new byte[] {'2'});
    for (int i = 0; i < POLLS_MAX - 1; i++) {
      RawClient.Response answer = clients.get(i).receive();
      assertEquals("2", answer.body());
      assertEquals(tag("k"), answer.header("etag"));
    }
    awaitParked(1);
    kv.put("other", new byte[] {'2'});
    assertEquals(200, other.receive().status());
    assertEquals(200, other.request("GET", "/v1/kv/k").receive().status(), "goes on");
  }

  @Test
  void anEntryThatIsAnotherOneAlreadyIsAnsweredAtOnce() throws Exception {
    String old = tag("k");
    kv.put("k", new byte[] {'2'});
    assertEquals("2", poll("k", "1m", old).receive().body());
    assertEquals("2", poll("k", "1m", "\"77777\"").receive().body());
    assertEquals(404, poll("missing", "1m", "*").receive().status());
  }

  @Test
  void aRemovalEndsTheWait() throws Exception {
    RawClient poll = poll("k", "1m", "*");
    awaitParked(1);
    kv.put("k", new byte[] {'2'});
    kv.delete("k");
    RawClient.Response answer = poll.receive();
    assertEquals(404, answer.status());
    assertEquals("no_such_key", ServerUnderTest.code(answer.body()));
  }

  @Test
  void anExpiryEndsTheWait() throws Exception {
    String tag = KvClient.header(kv.put("k?ttl=300ms", new byte[] {'2'}), "ETag");
    assertEquals(404, poll("k", "1m", tag).receive().status());
  }

  @Test
  void timeEndsTheWait() throws Exception {
    RawClient.Response answer = poll("k", "100ms", tag("k")).receiveWithoutBody();
    assertEquals(304, answer.status());
    assertEquals(tag("k"), answer.header("etag"));
  }

  @Test
  void theLongestWaitIsCutToTheLimit() throws Exception {
    WaitLimits brief = new WaitLimits(1, 1, 1, Duration.ofMillis(50), Duration.ofMinutes(1));
    try (ServerUnderTest other =
        ServerUnderTest.over(
            folder.resolve("other"), new SizeLimits(1024, 1024, 16 << 10, brief))) {
      new KvClient(other).put("k", new byte[] {'1'});
      try (RawClient client = other.connect()) {
        client.send("GET /v1/kv/k?wait=7d HTTP/1.1\r\nHost: test\r\nIf-None-Match: *\r\n\r\n");
        assertEquals(304, client.receiveWithoutBody().status());
      }
    }
  }

  @Test
  void aShutdownEndsTheWait() throws Exception {
    RawClient poll = poll("k", "5m", tag("k"));
    awaitParked(1);
    server.http.close();
    RawClient.Response answer = poll.receiveWithoutBody();
    assertEquals(304, answer.status());
    assertEquals("close", answer.header("connection"));
    poll.awaitClosed();
  }

  @Test
  void thereIsALimitThatIsNamed() throws Exception {
    for (int i = 0; i < POLLS_MAX; i++) {
      poll("k", "1m", tag("k"));
    }
    awaitParked(POLLS_MAX);
    RawClient.Response refused = poll("k", "1m", tag("k")).receive();
    assertEquals(503, refused.status());
    assertEquals("too_many_polls", ServerUnderTest.code(refused.body()));
    assertTrue(refused.body().contains("" + POLLS_MAX), refused.body());
    assertEquals("1", refused.header("retry-after"));
    kv.put("k", new byte[] {'2'});
    assertEquals(200, clients.get(0).receive().status());
    awaitParked(0);
  }

  @Test
  void aClientThatLeavesGivesItsPlaceBack() throws Exception {
    for (int i = 0; i < POLLS_MAX; i++) {
      poll("k", "5m", tag("k"));
    }
    awaitParked(POLLS_MAX);
    for (int i = 0; i < POLLS_MAX; i++) {
      if (i % 2 == 0) {
        clients.get(i).close();
      } else {
        clients.get(i).reset();
      }
    }
    awaitParked(0);
    poll("k", "100ms", tag("k")).receiveWithoutBody();
  }

  @Test
  void aClientThatSendsNoMoreIsAnsweredAtOnce() throws Exception {
    RawClient poll = poll("k", "5m", tag("k"));
    awaitParked(1);
    poll.endOutput();
    RawClient.Response answer = poll.receiveWithoutBody();
    assertEquals(304, answer.status());
    assertEquals(tag("k"), answer.header("etag"));
    poll.awaitClosed();
  }

  @Test
  void aNextRequestIsAnsweredAfterTheOneThatWaits() throws Exception {
    kv.put("next", new byte[] {'n'});
    RawClient poll = poll("k", "1m", tag("k"));
    awaitParked(1);
    poll.request("GET", "/v1/kv/next");
    poll.send("GET /v1/kv/next HTTP/1.1\r\nHo"); // and a part of one more
    kv.put("k", new byte[] {'2'});
    assertEquals("2", poll.receive().body());
    assertEquals("n", poll.receive().body());
    poll.send("st: test\r\n\r\n");
    assertEquals("n", poll.receive().body());
  }

  @Test
  void aNextRequestThatCameWithItIsAnsweredAfterIt() throws Exception {
    RawClient client = server.connect();
    clients.add(client);
    String next = "GET /get/k HTTP/1.1\r\nHost: test\r\n\r\n";
    client.send(
        "GET /v1/kv/k?wait=5m HTTP/1.1\r\nHost: test\r\nIf-None-Match: *\r\n\r\n" + next + next);
    awaitParked(1);
    kv.put("last", new byte[] {'l'});
    client.request("GET", "/get/last");
    kv.delete("k");
    assertEquals(404, client.receive().status());
    assertEquals("{\"val\":\"\"}", client.receive().body());
    assertEquals("{\"val\":\"\"}", client.receive().body());
    assertEquals("{\"val\":\"l\"}", client.receive().body());
  }

  private static ServerUnderTest withEntry(ServerUnderTest fresh) {
    fresh.map.put("k", "v");
    return fresh;
  }

  @Test
  void whoWaitsIsNotCutOffForItsSilence() throws Exception {
    try (ServerUnderTest hasty =
        withEntry(
            new ServerUnderTest(
                Log.inMemory(10), ServerUnderTest.patientFor(SILENCE_MAX), Cluster.alone(1)))) {
      for (int attempt = 1; !isWaitedFor(hasty); attempt++) {
        assertTrue(attempt < ATTEMPTS_MAX, "this client is always silent for too long");
      }
    }
  }

  /** False if it was cut off before it has asked, as on a busy machine it may be. */
  private static boolean isWaitedFor(ServerUnderTest hasty) throws Exception {
    long beginNanos = System.nanoTime();
    try (RawClient client = hasty.connect()) {
      client.send("GET /v1/kv/k?wait=2500ms HTTP/1.1\r\nHost: test\r\nIf-None-Match: *\r\n\r\n");
      long silentNanos = System.nanoTime() - beginNanos;
      try {
        assertEquals(304, client.receiveWithoutBody().status());
      } catch (IOException cut) {
        assertTrue(silentNanos > SILENCE_MAX.toNanos(), "cut off while it waited");
        return false;
      }
      client.awaitClosed(); // and is, afterwards
      return true;
    }
  }

  @Test
  void aPollThatMeetsAnErrorIsAnsweredAndKeepsNoPlace() throws Exception {
    BrokenLog log = new BrokenLog();
    try (ServerUnderTest other =
            new ServerUnderTest(log, ServerUnderTest.settings(), Cluster.alone(1));
        RawClient atAChange = other.connect();
        RawClient atItsEnd = other.connect()) {
      other.map.put("k", "v");
      other.map.put("l", "v");
      String rest = " HTTP/1.1\r\nHost: test\r\nIf-None-Match: *\r\n\r\n";
      log.looks.set(0);
      atAChange.send("GET /v1/kv/k?wait=5m" + rest);
      Await.until("it has looked, and once more when the hub began", () -> log.looks.get() == 2);
      log.lookErrors.set(100);
      other.entries.remove("k"); // what it would be told, if it could look
      assertEquals("internal_error", ServerUnderTest.code(atAChange.receive().body()));
      log.lookErrors.set(0);
      atItsEnd.send("GET /v1/kv/l?wait=3s" + rest); // no sooner: it is to be seen waiting
      Await.until("the other waits", () -> other.http.routeTable().pollsParked() == 1);
      log.lookErrors.set(100);
      assertEquals(500, atItsEnd.receive().status());
      Await.until("nothing is held", () -> other.http.requestsInFlight() == 0);
      assertEquals(0, other.http.routeTable().pollsParked());
    }
  }

  @Test
  void aWaitNeedsToKnowForWhat() throws Exception {
    KvClient.assertProblem(400, "invalid_query", kv.get("k?wait=1s"));
    KvClient.assertProblem(400, "invalid_query", kv.get("k?wait=1", "If-None-Match", "*"));
  }

  @Test
  void whoWritesAtTheSameTimeIsNeverMissed() throws Exception {
    RawClient client = server.connect();
    clients.add(client);
    Thread writer =
        new Thread(
            () -> {
              for (int i = 0; i < 300; i++) {
                server.map.put("k", "v" + i);
              }
            });
    writer.start();
    // Each answer is a later version than the one before, and the last write is seen.
    long known = 0;
    String body = "";
    while (!body.equals("v299")) {
      client.send(
          "GET /v1/kv/k?wait=50s HTTP/1.1\r\nHost: test\r\nIf-None-Match: \""
              + known
              + "\"\r\n\r\n");
      RawClient.Response answer = client.receive();
      assertEquals(200, answer.status());
      long version = Long.parseLong(answer.header("etag").replace("\"", ""));
      assertTrue(version > known);
      known = version;
      body = answer.body();
    }
    writer.join();
  }
}
