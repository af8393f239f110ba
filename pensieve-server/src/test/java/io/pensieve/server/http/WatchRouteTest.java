package io.pensieve.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.value.WaitLimits;
import io.pensieve.testing.Seed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Changes, told as they are made. */
final class WatchRouteTest {
  private static final long SEED = Seed.choose();
  private static final int WATCHERS_MAX = 20;
  private static final int QUEUE_BYTES = 64 << 10;

  private final Path folder;
  private ServerUnderTest server;
  private KvClient kv;

  WatchRouteTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @BeforeEach
  void start() throws Exception {
    WaitLimits waits =
        new WaitLimits(1, WATCHERS_MAX, QUEUE_BYTES, Duration.ofMinutes(1), Duration.ofMillis(50));
    server = ServerUnderTest.over(folder, new SizeLimits(1024, 4 << 20, 16 << 10, waits));
    kv = new KvClient(server);
  }

  @AfterEach
  void nobodyIsLeftWatching() throws Exception {
    Await.until("nobody watches", () -> server.http.routeTable().watchers() == 0);
    Await.until("nothing in flight", () -> server.http.requestsInFlight() == 0);
    server.close();
  }

  @Test
  void putsAndDeletesAreToldWithTheirVersions() throws Exception {
    try (EventClient events = EventClient.watch(server, "")) {
      kv.put("a?ttl=1h", "b\u00e4r\n".getBytes(UTF_8), "Content-Type", "x/y");
      String tag = KvClient.header(kv.get("a"), "ETag");
      kv.put("b", new byte[] {(byte) 0xFF});
      kv.delete("a");
      kv.delete("a");
      server.put("c", "text");

      EventClient.Event put = events.next();
      assertEquals("put", put.name());
      assertEquals("a", put.key());
      assertEquals("b\u00e4r\n", put.json().get("value").getAsString());
      assertEquals("x/y", put.json().get("content_type").getAsString());
      assertEquals(tag, "\"" + put.json().get("version") + "\"");
      assertEquals(put.id(), put.json().get("version").getAsString());
      assertTrue(put.json().has("expires_at_ms"));
      assertEquals("/w==", events.next().json().get("value_base64").getAsString());
      EventClient.Event delete = events.next();
      assertEquals("delete", delete.name());
      assertEquals("a", delete.key());
      assertFalse(delete.json().has("value"));
      assertEquals("c", events.next().key(), "a delete of nothing is no change");
    }
  }

  @Test
  void onlyKeysOfThePrefixAreTold() throws Exception {
    try (EventClient events = EventClient.watch(server, "?prefix=a%2Fb")) {
      for (String key : new String[] {"a", "a%2Fb", "b", "a%2Fbc", "a%2Fc"}) {
        kv.put(key, new byte[] {1});
      }
      assertEquals("a/b", events.next().key());
      assertEquals("a/bc", events.next().key());
    }
  }

  @Test
  void whoResumesMissesNothing() throws Exception {
    List<String> told = new ArrayList<>();
    String lastId;
    try (EventClient events = EventClient.watch(server, "")) {
      lastId = events.lastId();
    }
    for (int i = 0; i < 1000; i++) {
      server.map.put("k" + i, "v");
    }
    while (told.size() < 1000) {
      // The header counts, since a browser repeats the query it began with.
      try (EventClient events = EventClient.watch(server, "?since=0", "Last-Event-ID", lastId)) {
        for (int i = 0; i < 250; i++) {
          EventClient.Event event = events.next();
          told.add(event.key());
          lastId = event.id();
        }
      }
    }
    for (int i = 0; i < 1000; i++) {
      assertEquals("k" + i, told.get(i));
    }
  }

  @Test
  void marksMoveTheIdOfThoseWhoAreToldNothing() throws Exception {
    try (EventClient events = EventClient.watch(server, "?prefix=mine")) {
      String begin = events.lastId();
      for (int i = 0; i < 100; i++) {
        server.map.put("other" + i, "v");
      }
      server.map.put("mine", "v");
      EventClient.Event event = events.next();
      assertEquals("mine", event.key());
      assertTrue(Long.parseLong(event.id()) > Long.parseLong(begin));
    }
  }

  @Test
  void whoeverFoldsAListingAndTheChangesSinceHasTheMap() throws Exception {
    Random random = new Random(SEED);
    Map<String, String> model = new HashMap<>();
    List<Thread> writers = new ArrayList<>();
    for (int writer = 0; writer < 3; writer++) {
      long seed = random.nextLong();
      String prefix = "w" + writer + "-";
      Thread thread = new Thread(() -> writeAtRandom(prefix, new Random(seed)));
      writers.add(thread);
      thread.start();
    }
    // A client that was cut off because it is too slow goes on where it was.
    for (String since = "0"; !since.equals("end"); ) {
      since = foldUntilCutOff(since, model);
    }
    for (Thread writer : writers) {
      writer.join();
    }
    assertEquals(model, Map.copyOf(server.map), "seed " + SEED);
  }

  /** Folds events until all writers have ended, or the stream has; answers how far it came. */
  private String foldUntilCutOff(String since, Map<String, String> model) throws Exception {
    try (EventClient events = EventClient.watch(server, "?since=" + since)) {
      try {
        while (!model.keySet().containsAll(List.of("w0-end", "w1-end", "w2-end"))) {
          fold(events.next(), model);
        }
        return "end";
      } catch (IOException cutOff) {
        return events.lastId();
      }
    }
  }

  private static void fold(EventClient.Event event, Map<String, String> model) {
    if (event.name().equals("put")) {
      model.put(event.key(), event.json().get("value").getAsString());
    } else {
      model.remove(event.key());
    }
  }

  private void writeAtRandom(String prefix, Random random) {
    for (int i = 0; i < 500; i++) {
      String key = prefix + random.nextInt(10);
      if (random.nextInt(3) == 0) {
        server.entries.remove(key);
      } else {
        server.map.put(key, "v" + i);
      }
    }
    server.map.put(prefix + "end", "");
  }

  @Test
  void severalWhoWatchAreToldTheSame() throws Exception {
    List<EventClient> clients = new ArrayList<>();
    for (int i = 0; i < WATCHERS_MAX; i++) {
      clients.add(EventClient.watch(server, ""));
    }
    for (int i = 0; i < 100; i++) {
      server.map.put("k" + i, "v");
    }
    for (EventClient client : clients) {
      for (int i = 0; i < 100; i++) {
        assertEquals("k" + i, client.next().key());
      }
      client.close();
    }
  }

  @Test
  void allCatchUpThoughChangesNeverEnd() throws Exception {
    AtomicBoolean ended = new AtomicBoolean();
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(
            () -> {
              while (!ended.get()) {
                server.map.put("other", "v");
              }
            });
    List<EventClient> clients = new ArrayList<>();
    try {
      for (int i = 0; i < WATCHERS_MAX; i++) {
        clients.add(EventClient.watch(server, "?since=0&prefix=told"));
      }
      Await.until(
          "all have caught up", () -> server.http.routeTable().watchersCaughtUp() == WATCHERS_MAX);
    } finally {
      ended.set(true);
      writer.join();
    }
    server.map.put("told", "v");
    for (EventClient client : clients) {
      assertEquals("told", client.next().key());
      client.close();
    }
  }

  @Test
  void aClientThatTakesNothingIsCutOffAndHindersNobody() throws Exception {
    try (RawClient slow = server.connect();
        EventClient quick = EventClient.watch(server, "?prefix=end")) {
      slow.request("GET", "/v1/watch");
      Await.until("both have caught up", () -> server.http.routeTable().watchersCaughtUp() == 2);
      String value = "x".repeat(1 << 20);
      int written = 0;
      while (server.http.routeTable().watchers() == 2) {
        server.map.put("large", value);
        assertTrue(written++ < 2000, "a slow client is never cut off");
      }
      server.map.put("end", "v");
      assertEquals("end", quick.next().key());
      slow.awaitClosed();
    }
  }

  @Test
  void aClientThatTakesNothingOfALongHistoryTakesNoMemory() throws Exception {
    String value = "x".repeat(1 << 20);
    for (int i = 0; i < 60; i++) {
      server.map.put("large" + i, value);
    }
    long filesBefore = openFiles();
    // Together they would be told more than the heap of this test has room for.
    List<RawClient> slow = new ArrayList<>();
    for (int i = 0; i < WATCHERS_MAX - 1; i++) {
      slow.add(RawClient.narrow(server.http.address()));
      slow.get(i).request("GET", "/v1/watch?since=0");
    }
    try (EventClient quick = EventClient.watch(server, "?since=0")) {
      for (int i = 0; i < 60; i++) {
        assertEquals("large" + i, quick.next().key());
      }
      server.map.put("end", "v");
      assertEquals("end", quick.next().key());
    }
    Await.until(
        "no file is kept open for the slow", () -> openFiles() < filesBefore + slow.size() / 2);
    Await.until(
        "all have come, and nobody was cut off",
        () -> server.http.routeTable().watchers() >= slow.size());
    for (RawClient client : slow) {
      client.close();
    }
  }

  /** How many files of the log this process has open; none where that cannot be seen. */
  private long openFiles() throws IOException {
    Path descriptors = Path.of("/proc/self/fd");
    if (!Files.isDirectory(descriptors)) {
      return 0;
    }
    try (Stream<Path> open = Files.list(descriptors)) {
      return open.filter(this::isOfLog).count();
    }
  }

  private boolean isOfLog(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).startsWith(folder.toRealPath());
    } catch (IOException closedMeanwhile) {
      return false;
    }
  }

  @Test
  void anEventLargerThanTheQueueIsTold() throws Exception {
    try (EventClient events = EventClient.watch(server, "?since=0")) {
      String value = "x".repeat(2 << 20);
      server.map.put("large", value);
      assertEquals(value, events.next().json().get("value").getAsString());
      server.map.put("larger", value + value.substring(9999));
      assertEquals("larger", events.next().key());
    }
  }

  @Test
  void historyThatIsGoneIsSaidToBeGone() throws Exception {
    server.close();
    try (ServerUnderTest other = compacted()) {
      StatusAndBody answer = StatusAndBody.of(other, "/v1/watch?since=1");
      assertEquals(410, answer.status());
      assertEquals("history_forgotten", answer.code());
    }
    server = ServerUnderTest.over(folder.resolve("last"), SizeLimits.defaults());
  }

  private ServerUnderTest compacted() throws Exception {
    return TruncatingLog.server();
  }

  @Test
  void whoFallsBehindWhatIsKeptIsToldSo() throws Exception {
    TruncatingLog log = new TruncatingLog();
    try (ServerUnderTest other = log.serve();
        EventClient events = EventClient.watch(other, "")) {
      other.map.put("k", "v");
      assertEquals("k", events.next().key());
      log.forgetAll();
      EventClient.Event last = events.next();
      assertEquals("history_forgotten", last.name());
      assertEquals("history_forgotten", last.json().get("code").getAsString());
      assertTrue(events.ends());
    }
  }

  @Test
  void badParametersAreRefused() throws Exception {
    for (String query :
        new String[] {"since=x", "since=-1", "since=01", "since=9223372036854775808", "x=1"}) {
      StatusAndBody answer = StatusAndBody.of(server, "/v1/watch?" + query);
      assertEquals(400, answer.status(), query);
      assertEquals("invalid_query", answer.code());
    }
  }

  @Test
  void aVersionThatThisServerNeverToldIsForgotten() throws Exception {
    for (String since : new String[] {"1", "99999999", "9223372036854775807"}) {
      StatusAndBody answer = StatusAndBody.of(server, "/v1/watch?since=" + since);
      assertEquals(410, answer.status(), since);
      assertEquals("history_forgotten", answer.code());
    }
  }

  @Test
  void thereIsALimitThatIsNamed() throws Exception {
    List<EventClient> clients = new ArrayList<>();
    for (int i = 0; i < WATCHERS_MAX; i++) {
      clients.add(EventClient.watch(server, ""));
    }
    StatusAndBody refused = StatusAndBody.of(server, "/v1/watch");
    assertEquals(503, refused.status());
    assertEquals("too_many_watchers", refused.code());
    for (EventClient client : clients) {
      client.close();
    }
  }

  @Test
  void aShutdownEndsTheStreams() throws Exception {
    try (EventClient events = EventClient.watch(server, "")) {
      server.http.close();
      assertTrue(events.ends());
    }
  }

  @Test
  void headIsAnsweredWithoutAStream() throws Exception {
    try (RawClient client = server.connect()) {
      RawClient.Response head = client.request("HEAD", "/v1/watch").receiveWithoutBody();
      assertEquals(200, head.status());
      assertEquals("text/event-stream", head.header("content-type"));
      assertEquals(200, client.request("GET", "/cluster").receive().status());
    }
  }
}
