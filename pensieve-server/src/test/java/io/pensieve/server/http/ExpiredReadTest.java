package io.pensieve.server.http;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.LogException;
import io.pensieve.log.RecentChanges;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.ReplicatedLog;
import io.pensieve.log.StandbyMap;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.metrics.DurationMetric;
import io.pensieve.server.http.replication.ServedBy;
import io.pensieve.server.http.transport.Route;
import io.pensieve.server.http.value.StoredValue;
import java.io.ByteArrayInputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A follower whose entry has expired, by its clock, before it hears what became of it. The leader
 * has replaced the entry in time.
 */
final class ExpiredReadTest {
  private static final long LONG_AGO = 1_000;

  private final FakeReplication ofLeader = new FakeReplication();
  private final FakeReplication ofFollower = new FakeReplication();
  private final StandbyLog log = new StandbyLog();
  private ServerUnderTest leader;
  private ServerUnderTest follower;

  @BeforeEach
  void start() throws Exception {
    ofLeader.leading = true;
    leader = LeaderGateTest.node(1, ofLeader, ServerUnderTest.settings(), ServerUnderTest.PATIENCE);
    follower =
        new ServerUnderTest(
            log,
            settings(),
            Cluster.alone(2),
            Alarms.silent(),
            Optional.of(
                new HttpServer.Replicated(
                    ofFollower,
                    () -> {
                      throw new AssertionError("no https URL is called");
                    },
                    new DurationMetric("pensieve_replication_commit_seconds", "Test."))));
    ofFollower.leaderUrl = Optional.of(LeaderGateTest.url(leader));
    leader.map.put("k", "in time");
    leader.map.put("d/k", "in time");
    map().apply(10, new Change.Put<>("k", value("expired"), LONG_AGO));
    map().apply(11, new Change.Put<>("d/k", value("expired"), LONG_AGO));
  }

  @AfterEach
  void stop() throws Exception {
    follower.close();
    leader.close();
  }

  /** As those of a node of a cluster: a majority has forced what is acknowledged. */
  private static HttpServer.Settings settings() throws Exception {
    return ServerUnderTest.readsMayWait();
  }

  private static StoredValue value(String text) {
    return StoredValue.typed(
        "text/plain", new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
  }

  private StandbyMap<String, StoredValue> map() {
    return requireNonNull(log.map);
  }

  private HttpResponse<String> get(String path) throws Exception {
    return follower.send(follower.request(path));
  }

  /** What a route answers of such entries. A new read needs a line here. */
  private static final Map<String, List<String>> READS =
      Map.of(
          "/get/{key}", List.of("/get/k?"),
          "/v1/kv/{key}", List.of("/v1/kv/k?", "/v1/kv/d/k?as=json&"),
          "/v1/mget", List.of("/v1/mget?key=k&", "/v1/mget?key=k&peek=true&"),
          "/v1/keys", List.of("/v1/keys?", "/v1/keys?prefix=d/&", "/v1/keys?delimiter=/&"),
          "/v1/count", List.of("/v1/count?", "/v1/count?prefix=k&"));

  @Test
  void theLeaderSaysWhatBecameOfIt() throws Exception {
    Set<String> reads = new HashSet<>();
    for (Route route : follower.http.routeTable().routes()) {
      if (route.servedBy() == ServedBy.CAUGHT_UP_NODE) {
        reads.add(route.template());
      }
    }
    assertEquals(READS.keySet(), reads);
    for (List<String> paths : READS.values()) {
      for (String path : paths) {
        String byLeader = leader.send(leader.request(path)).body();
        assertEquals(byLeader, get(path).body(), path);
        String stale = get(path + "consistency=stale").body();
        assertNotEquals(byLeader, stale, path + ": a stale read goes by the follower's clock");
      }
    }
  }

  @Test
  void theLeaderSaysSoToAHeadToo() throws Exception {
    HttpResponse<String> head =
        follower.send(follower.request("/v1/kv/k").method("HEAD", BodyPublishers.noBody()));
    assertEquals(200, head.statusCode());
  }

  @Test
  void aStaleReadGoesByTheFollowersClock() throws Exception {
    assertEquals(404, get("/v1/kv/k?consistency=stale").statusCode());
    assertEquals(404, poll("/v1/kv/k?wait=60s&consistency=stale").statusCode());
    assertEquals(404, get("/v1/kv/k?c%6Fnsistency=st%61le").statusCode());
  }

  private HttpResponse<String> poll(String path) throws Exception {
    return follower.send(follower.request(path).header("If-None-Match", "\"10\""));
  }

  @Test
  void aLongPollThatMayWaitNoLongerAsksTheLeader() throws Exception {
    assertEquals("in time", poll("/v1/kv/k?wait=1ms").body());
    assertEquals("in time", poll("/v1/kv/k?wait=1ms&consistency=linearizable").body());
    assertEquals("in time", poll("/v1/kv/k?w%61it=1ms").body());
  }

  private static void park(RawClient poll, String header) throws Exception {
    String head = "GET /v1/kv/k?wait=60s HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"10\"\r\n";
    poll.send(head + header + "\r\n");
  }

  @Test
  void aLongPollThatEndsWithoutALeaderIsRefused() throws Exception {
    try (RawClient poll = follower.connect()) {
      park(poll, "Pensieve-Forwarded-By: 3\r\n");
      Await.until("it waits", () -> follower.http.routeTable().pollsParked() == 1);
      follower.http.routeTable().drain();
      assertEquals(503, poll.receive().status());
    }
  }

  @Test
  void aLongPollWaitsForTheLeadersDecision() throws Exception {
    try (RawClient poll = follower.connect()) {
      park(poll, "");
      Await.until("it waits", () -> ofFollower.barriers.get() == 1);
      map().apply(12, new Change.Put<>("k", value("in time"), Change.Put.NEVER));
      log.recent.add(12, new Change.Put<>("k", value("in time"), Change.Put.NEVER));
      assertEquals("in time", poll.receive().body());
    }
  }

  @Test
  void whatTheLeaderHasRemovedIsAbsent() throws Exception {
    map().apply(12, new Change.Remove<>("k"));
    map().apply(13, new Change.Remove<>("d/k"));
    assertEquals(404, get("/v1/kv/k").statusCode());
    assertEquals("{\"count\":0}", get("/v1/count").body());
  }

  /** Its map is a standby for ever; everything that it applies is acknowledged. */
  private static final class StandbyLog implements ReplicatedLog<String, StoredValue> {
    final RecentChanges<String, StoredValue> recent = new RecentChanges<>(100, 100, change -> 0, 0);
    volatile @Nullable StandbyMap<String, StoredValue> map;

    @Override
    public void follow(StandbyMap<String, StoredValue> followed) {
      map = followed;
    }

    @Override
    public boolean isVoid(long sequence) {
      return false;
    }

    @Override
    public RecoveryReport replay(ReplayHandler<String, StoredValue> handler) {
      return RecoveryReport.empty();
    }

    @Override
    public long append(Change<String, StoredValue> change) {
      throw new LogException.ReadOnly("a standby");
    }

    @Override
    public long[] appendAtomically(List<Change<String, StoredValue>> changes) {
      throw new LogException.ReadOnly("a standby");
    }

    @Override
    public ChangeStream<String, StoredValue> changes() {
      return recent.changes();
    }

    @Override
    public ChangeStream<String, StoredValue> changes(long since) {
      return recent.changes(since);
    }

    @Override
    public void close() {
      recent.close();
    }
  }
}
