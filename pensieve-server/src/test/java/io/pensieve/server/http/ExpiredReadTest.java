package io.pensieve.server.http;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.RecentChanges;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.ReplicatedLog;
import io.pensieve.log.StandbyMap;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.metrics.DurationMetric;
import io.pensieve.server.http.value.StoredValue;
import java.io.ByteArrayInputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
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
    map().apply(10, new Change.Put<>("k", value("expired"), LONG_AGO));
  }

  @AfterEach
  void stop() throws Exception {
    follower.close();
    leader.close();
  }

  /** As those of a node of a cluster: a majority has forced what is acknowledged. */
  private static HttpServer.Settings settings() throws Exception {
    HttpServer.Settings defaults = ServerUnderTest.settings();
    return new HttpServer.Settings(
        defaults.address(),
        defaults.limits(),
        defaults.authorizer(),
        Optional.of(Durability.POWER_CUT),
        defaults.connections(),
        defaults.tls(),
        defaults.accessLog());
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

  @Test
  void theLeaderSaysWhatBecameOfIt() throws Exception {
    assertEquals("in time", get("/v1/kv/k").body());
    assertEquals("{\"val\":\"in time\"}", get("/get/k").body());
    String several = get("/v1/mget?key=k").body();
    assertTrue(several.contains("\"missing\":[]"), several);
    String exported = get("/v1/mget?key=k&peek=true").body();
    assertTrue(exported.contains("\"missing\":[]"), exported);
  }

  @Test
  void aStaleReadGoesByTheFollowersClock() throws Exception {
    assertEquals(404, get("/v1/kv/k?consistency=stale").statusCode());
  }

  @Test
  void aLongPollWaitsForTheLeadersDecision() throws Exception {
    try (RawClient poll = follower.connect()) {
      poll.send(
          "GET /v1/kv/k?wait=60s HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"10\"\r\n\r\n");
      Await.until("it waits", () -> ofFollower.barriers.get() == 1);
      map().apply(11, new Change.Put<>("k", value("in time"), Change.Put.NEVER));
      log.recent.add(11, new Change.Put<>("k", value("in time"), Change.Put.NEVER));
      assertEquals("in time", poll.receive().body());
    }
  }

  @Test
  void whatTheLeaderHasRemovedIsAbsent() throws Exception {
    map().apply(11, new Change.Remove<>("k"));
    assertEquals(404, get("/v1/kv/k").statusCode());
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
