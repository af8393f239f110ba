package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import io.pensieve.Versioned;
import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.access.Tokens;
import io.pensieve.server.http.metrics.DurationMetric;
import io.pensieve.server.http.replication.ServedBy;
import io.pensieve.server.http.transport.Route;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.testing.Ports;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two nodes of which one leads: which of them serves which request, and what the client sees. */
final class LeaderGateTest {
  private static final Duration IMPATIENCE = Duration.ofMillis(300); // of who is to be refused

  private final FakeReplication ofLeader = new FakeReplication();
  private final FakeReplication ofFollower = new FakeReplication();
  private ServerUnderTest leader;
  private ServerUnderTest follower;
  private Socket dead;

  @BeforeEach
  void start() throws Exception {
    dead = Ports.dead();
    ofLeader.leading = true;
    leader = node(1, ofLeader, ServerUnderTest.settings(), ServerUnderTest.PATIENCE);
    follower = node(2, ofFollower, ServerUnderTest.settings(), ServerUnderTest.PATIENCE);
    ofFollower.leaderUrl = Optional.of(url(leader));
  }

  static ServerUnderTest node(
      long id, FakeReplication replication, HttpServer.Settings settings, Duration patience)
      throws IOException {
    return ServerUnderTest.replicated(
        id,
        settings,
        new HttpServer.Replicated(
            replication,
            LeaderGateTest::noTls,
            new DurationMetric("pensieve_replication_commit_seconds", "Test."),
            patience));
  }

  private static SSLContext noTls() {
    throw new AssertionError("no https URL is called");
  }

  static URI url(ServerUnderTest server) {
    return URI.create("http://127.0.0.1:" + server.http.address().getPort());
  }

  @AfterEach
  void everyRequestIsAnsweredToItsEnd() throws Exception {
    Await.until("nothing in flight", () -> follower.http.requestsInFlight() == 0);
    Await.until("nothing in flight", () -> leader.http.requestsInFlight() == 0);
    follower.close();
    leader.close();
    dead.close();
  }

  @Test
  void everyRouteSaysWhoServesIt() {
    Map<String, ServedBy> servedBy = new TreeMap<>();
    for (Route route : follower.http.routeTable().routes()) {
      servedBy.put(route.method() + " " + route.template(), route.servedBy());
    }
    Map<String, ServedBy> expected = new TreeMap<>();
    for (String write :
        new String[] {
          "POST /put",
          "DELETE /delete/{key}",
          "PUT /v1/kv/{key}",
          "DELETE /v1/kv/{key}",
          "POST /v1/incr/{key}",
          "POST /v1/touch/{key}",
          "DELETE /v1/keys",
          "POST /v1/batch",
          "POST /v1/cluster/transfer",
          "POST /v1/cluster/add",
          "POST /v1/cluster/remove",
          "POST /v1/cluster/replace"
        }) {
      expected.put(write, ServedBy.LEADER);
    }
    for (String read :
        new String[] {
          "GET /get/{key}", "GET /v1/kv/{key}", "GET /v1/mget", "GET /v1/keys", "GET /v1/count"
        }) {
      expected.put(read, ServedBy.CAUGHT_UP_NODE);
    }
    String gets =
        "/internal/node /cluster /v1/cluster /livez /readyz /metrics /v1/status /v1/watch"
            + " /v1/backup /openapi.json / /ui /ui/{file}";
    expected.put("PATCH /v1/settings", ServedBy.ANY_NODE);
    expected.put("POST /internal/heartbeat", ServedBy.ANY_NODE);
    for (String here : gets.split(" ", -1)) {
      expected.put("GET " + here, ServedBy.ANY_NODE);
    }
    assertEquals(expected, servedBy);
  }

  @Test
  void aReadThatTouchesIsServedByTheLeader() throws Exception {
    leader.map.put("a", "1");
    HttpResponse<String> entry = follower.send(follower.request("/v1/kv/a?touch=1h"));
    assertEquals("1", entry.body());
    Versioned<StoredValue> touched = Objects.requireNonNull(leader.entries.getVersioned("a"));
    assertTrue(touched.expiry().isPresent());
  }

  @Test
  void writesOnAFollowerAreExecutedByTheLeader() throws Exception {
    follower.put("text", "a");
    follower.put("gone", "a");
    follower.delete("gone");
    HttpResponse<String> put = put(follower, "/v1/kv/raw?ttl=1h", "b");
    assertEquals(201, put.statusCode());
    HttpResponse<String> sum = follower.post("/v1/incr/n", "{\"by\":5}");
    assertEquals(5, JsonParser.parseString(sum.body()).getAsJsonObject().get("value").getAsInt());
    HttpResponse<String> batch =
        follower.post(
            "/v1/batch",
            "{\"atomic\":true,\"ops\":[{\"op\":\"put\",\"key\":\"x\",\"value\":\"1\"},"
                + "{\"op\":\"get\",\"key\":\"text\"}]}");
    assertEquals(200, batch.statusCode(), batch.body());
    assertTrue(batch.body().contains("\"value\":\"a\""), batch.body());

    assertEquals(Map.of(), Map.copyOf(follower.map));
    assertEquals(Map.of("text", "a", "raw", "b", "n", "5", "x", "1"), Map.copyOf(leader.map));
    Versioned<StoredValue> raw = entry(leader, "raw");
    assertEquals("\"" + raw.version() + "\"", put.headers().firstValue("ETag").orElse(""));
    assertTrue(raw.expiry().isPresent());
  }

  private static Versioned<StoredValue> entry(ServerUnderTest server, String key) {
    return Objects.requireNonNull(server.entries.getVersioned(key));
  }

  private static HttpResponse<String> put(
      ServerUnderTest server, String path, String value, String... headers) throws Exception {
    var request = server.request(path).PUT(BodyPublishers.ofString(value));
    return server.send(headers.length == 0 ? request : request.headers(headers));
  }

  @Test
  void conditionsAndRefusalsAreTheLeaders() throws Exception {
    follower.put("k", "v");
    String tag = "\"" + entry(leader, "k").version() + "\"";
    HttpResponse<String> refused = put(follower, "/v1/kv/k", "w", "If-None-Match", "*");
    assertEquals(412, refused.statusCode());
    assertEquals(tag, refused.headers().firstValue("ETag").orElse(""));
    assertEquals("precondition_failed", ServerUnderTest.code(refused.body()));
    assertEquals(204, put(follower, "/v1/kv/k", "w", "If-Match", tag).statusCode());
    assertEquals("w", leader.map.get("k"));
    assertEquals(409, follower.post("/v1/incr/k", "{\"by\":1}").statusCode());
    assertEquals(400, put(follower, "/v1/kv/k?ttl=1", "w").statusCode());
    assertEquals(400, put(follower, "/v1/kv/k?consistency=stale", "w").statusCode());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a|b^c{d}e\"f\\g<h>i`", "a%2Fb", "a/b/", "a;v=1", "%252F", "%C3%A4", "a+b", "..."})
  void keysArriveAsTheyWereSent(String rawKey) throws Exception {
    try (RawClient here = follower.connect();
        RawClient there = leader.connect()) {
      String put = " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx";
      assertEquals(201, here.send("PUT /v1/kv/" + rawKey + put).receive().status());
      assertEquals(204, there.send("PUT /v1/kv/" + rawKey + put).receive().status());
      // As the URL of a request to a proxy.
      assertEquals(204, here.send("PUT http://localhost/v1/kv/" + rawKey + put).receive().status());
    }
  }

  @Test
  void longChunkedAndExpectedBodiesArrive() throws Exception {
    byte[] value = new byte[3 << 20];
    new Random(42).nextBytes(value);
    var chunked =
        follower
            .request("/v1/kv/long")
            .header("Content-Type", "a/b")
            .expectContinue(true)
            .PUT(
                BodyPublishers.fromPublisher(
                    BodyPublishers.ofByteArray(value))); // of no known size
    assertEquals(201, follower.send(chunked).statusCode());
    StoredValue stored = entry(leader, "long").value();
    assertArrayEquals(value, bytesOf(stored));
    assertEquals("a/b", stored.type());
    byte[] tooLong = new byte[17 << 20];
    var refused = follower.request("/v1/kv/k").PUT(BodyPublishers.ofByteArray(tooLong));
    assertEquals("body_too_large", ServerUnderTest.code(follower.send(refused).body()));
    assertNull(leader.map.get("k"));
  }

  private static byte[] bytesOf(StoredValue value) {
    byte[] bytes = new byte[value.size()];
    value.bytes().get(bytes);
    return bytes;
  }

  @Test
  void aBodyThatBreaksOffChangesNothing() throws Exception {
    try (RawClient client = follower.connect()) {
      client.send("PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf");
      Await.until("it is under way", () -> follower.http.requestsInFlight() == 1);
    }
    Await.until("it ends", () -> follower.http.requestsInFlight() == 0);
    try (RawClient client = follower.connect()) {
      String head =
          "PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
      client.send(head + "3\r\nabc\r\ng\r\n");
      assertEquals(400, client.receive().status());
    }
    assertNull(leader.map.get("k"));
  }

  @Test
  void aConnectionServesOneRequestAfterAnother() throws Exception {
    try (RawClient client = follower.connect()) {
      String put = "PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n";
      String read = "GET /v1/kv/k HTTP/1.1\r\nHost: localhost\r\n\r\n";
      String delete = "DELETE /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nxx";
      client.send(put + "1" + put + "2" + delete + read + put + "3");
      assertEquals(201, client.receive().status());
      assertEquals(204, client.receive().status());
      assertEquals(204, client.receive().status());
      assertEquals(404, client.receive().status()); // the follower's own, which is not replicated
      assertEquals(201, client.receive().status());
    }
    assertEquals("3", leader.map.get("k"));
  }

  @Test
  void readsWaitForALeaderAndAreRefusedInTheEnd() throws Exception {
    ofFollower.barrier = CompletableFuture.failedFuture(new IOException("no leader"));
    follower.map.put("k", "v");
    try (RawClient client = follower.connect()) {
      client.send("GET /v1/kv/k HTTP/1.1\r\nHost: localhost\r\n\r\n");
      Await.until("it asks again", () -> ofFollower.barriers.get() > 2);
      ofFollower.barrier = CompletableFuture.completedFuture(null);
      assertEquals("v", client.receive().body());
    }
    FakeReplication replication = new FakeReplication();
    replication.barrier = CompletableFuture.failedFuture(new IOException("no leader"));
    try (ServerUnderTest lonely = node(3, replication, ServerUnderTest.settings(), IMPATIENCE)) {
      HttpResponse<String> read = lonely.send(lonely.request("/get/k"));
      assertEquals(503, read.statusCode());
      assertEquals("no_leader", ServerUnderTest.code(read.body()));
      assertEquals("1", read.headers().firstValue("Retry-After").orElse(""));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/get/k", "/v1/kv/k", "/v1/keys", "/v1/count"})
  void staleReadsAskNobodyAndSayHowFarBehindTheyAre(String path) throws Exception {
    follower.map.put("k", "v");
    ofFollower.barrier = CompletableFuture.failedFuture(new IOException("no leader"));
    HttpResponse<String> stale = follower.send(follower.request(path + "?consistency=stale"));
    assertEquals(200, stale.statusCode());
    assertEquals("120ms", stale.headers().firstValue("Pensieve-Staleness").orElse(""));
    assertEquals(0, ofFollower.barriers.get());
    ofFollower.barrier = CompletableFuture.completedFuture(null);
    HttpResponse<String> newest =
        follower.send(follower.request(path + "?consistency=linearizable"));
    assertEquals(200, newest.statusCode());
    assertEquals(1, ofFollower.barriers.get());
    assertTrue(newest.headers().firstValue("Pensieve-Staleness").isEmpty());
    HttpResponse<String> other = follower.send(follower.request(path + "?consistency=some"));
    assertEquals(400, other.statusCode());
    assertEquals("invalid_query", ServerUnderTest.code(other.body()));
  }

  @Test
  void aServerThatDoesNotReplicateIsNeverBehind() throws Exception {
    try (ServerUnderTest alone = ServerUnderTest.start()) {
      alone.map.put("k", "v");
      HttpResponse<String> stale = alone.send(alone.request("/v1/kv/k?consistency=stale"));
      assertEquals("v", stale.body());
      assertEquals("0ms", stale.headers().firstValue("Pensieve-Staleness").orElse(""));
      assertEquals(400, alone.send(alone.request("/v1/kv/k?consistency=x")).statusCode());
    }
  }

  @Test
  void longPollsAreServedWhereTheyArrive() throws Exception {
    var written = follower.entries.putAsync("k", StoredValue.text("v"));
    try (RawClient client = follower.connect()) {
      client.send(
          "GET /v1/kv/k?wait=1m HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \""
              + written.version()
              + "\"\r\n\r\n");
      Await.until("it waits", () -> follower.http.routeTable().pollsParked() == 1);
      follower.map.put("k", "newer");
      assertEquals("newer", client.receive().body());
    }
    assertEquals(1, ofFollower.barriers.get());
  }

  @Test
  void aNodeWithoutAWholeStateForwardsReads() throws Exception {
    ofFollower.readable = false;
    leader.map.put("k", "v".repeat(100_000));
    assertEquals("v".repeat(100_000), follower.get("k"));
    assertEquals("{\"count\":1}", follower.send(follower.request("/v1/count")).body());
    HttpResponse<String> stale = follower.send(follower.request("/v1/count?consistency=stale"));
    assertEquals("120ms", stale.headers().firstValue("Pensieve-Staleness").orElse(""));
    try (RawClient client = follower.connect()) {
      client.send("HEAD /v1/kv/k HTTP/1.1\r\nHost: localhost\r\n\r\n");
      assertEquals("100000", client.receiveWithoutBody().header("content-length"));
      client.send(
          "GET /v1/kv/k?w%61it=1m HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"1\"\r\n\r\n");
      assertEquals("not_ready", ServerUnderTest.code(client.receive().body()));
    }
  }

  @Test
  void aForwardedRequestIsNotForwardedAgain() throws Exception {
    ofLeader.leading = false; // the follower does not know yet
    ofLeader.leaderUrl = Optional.of(url(follower));
    HttpResponse<String> looped = put(leader, "/v1/kv/k", "v", "Pensieve-Forwarded-By", "2");
    assertEquals(503, looped.statusCode());
    assertEquals("no_leader", ServerUnderTest.code(looped.body()));
    assertEquals("1", looped.headers().firstValue("Retry-After").orElse(""));
    try (RawClient client = follower.connect()) {
      client.send("PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx");
      Await.until("it is sent again", () -> follower.http.forwarding().orElseThrow().resent() > 1);
      ofLeader.leading = true;
      assertEquals(201, client.receive().status());
    }
    assertEquals("x", leader.map.get("k"));
  }

  @Test
  void aWriteWaitsForALeader() throws Exception {
    ofFollower.leaderUrl = Optional.empty();
    try (RawClient client = follower.connect()) {
      client.send("PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx");
      Await.until("it waits", () -> follower.http.forwarding().orElseThrow().forwarded() == 1);
      ofFollower.leaderUrl = Optional.of(deadAddress());
      Await.until("it is sent again", () -> follower.http.forwarding().orElseThrow().resent() > 0);
      ofFollower.leaderUrl = Optional.of(url(leader));
      assertEquals(201, client.receive().status());
    }
    assertEquals("x", leader.map.get("k"));
  }

  private URI deadAddress() {
    return URI.create("http://127.0.0.1:" + dead.getLocalPort());
  }

  @Test
  void withoutALeaderAWriteIsRefusedInTheEnd() throws Exception {
    FakeReplication replication = new FakeReplication();
    try (ServerUnderTest lonely = node(3, replication, ServerUnderTest.settings(), IMPATIENCE)) {
      HttpResponse<String> refused = put(lonely, "/v1/kv/k", "v");
      assertEquals(503, refused.statusCode());
      assertEquals("no_leader", ServerUnderTest.code(refused.body()));
      assertEquals("1", refused.headers().firstValue("Retry-After").orElse(""));
      replication.leaderUrl = Optional.of(deadAddress());
      assertEquals(
          "no_leader", ServerUnderTest.code(lonely.post("/put", "{\"key\":\"k\"}").body()));
    }
  }

  @Test
  void aWriteThatMayBeExecutedIsNotSentAgain() throws Exception {
    FakeReplication replication = new FakeReplication();
    try (LeaderThatDies dying = new LeaderThatDies();
        ServerUnderTest patient =
            node(3, replication, ServerUnderTest.settings(), ServerUnderTest.PATIENCE)) {
      replication.leaderUrl = Optional.of(dying.url());
      HttpResponse<String> unknown = put(patient, "/v1/kv/k", "v");
      assertEquals(503, unknown.statusCode());
      assertEquals("outcome_unknown", ServerUnderTest.code(unknown.body()));
      assertEquals(1, dying.requests.get());
      assertEquals(1, patient.http.forwarding().orElseThrow().unknownOutcomes());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "PUT /v1/kv/k HTTP/1.1\r\nIf-None-Match: *\r\nContent-Length: 1\r\n%s\r\nv", // a 412
        "DELETE /v1/kv/absent HTTP/1.1\r\n%s\r\n" // a 204
      })
  void whatChangedNothingSaysNothingOfAnAttemptThatMayBeExecutedYet(String write) throws Exception {
    leader.map.put("k", "v");
    try (LeaderThatDies dying = new LeaderThatDies();
        RawClient client = follower.connect()) {
      ofFollower.leaderUrl = Optional.of(dying.url());
      client.send(String.format(write, "Host: localhost\r\nIdempotency-Key: 1\r\n"));
      Await.until("it has left", () -> dying.requests.get() > 0);
      ofFollower.leaderUrl = Optional.of(url(leader));
      assertEquals("outcome_unknown", ServerUnderTest.code(client.receive().body()));
    }
  }

  @Test
  void aReadIsSentAgainUntilAnotherLeaderAnswersIt() throws Exception {
    try (LeaderThatDies dying = new LeaderThatDies()) {
      ofFollower.leaderUrl = Optional.of(dying.url());
      ofFollower.readable = false;
      leader.map.put("k", "v");
      try (RawClient client = follower.connect()) {
        client.send("GET /v1/kv/k HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Await.until("it is sent again", () -> dying.requests.get() > 2);
        ofFollower.leaderUrl = Optional.of(url(leader));
        assertEquals("v", client.receive().body());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"
      })
  void anOddResponseIsAnUnknownOutcome(String response) throws Exception {
    FakeReplication replication = new FakeReplication();
    try (LeaderThatDies odd = new LeaderThatDies(response);
        ServerUnderTest patient =
            node(3, replication, ServerUnderTest.settings(), ServerUnderTest.PATIENCE)) {
      replication.leaderUrl = Optional.of(odd.url());
      HttpResponse<String> unknown = put(patient, "/v1/kv/k", "v");
      assertEquals("outcome_unknown", ServerUnderTest.code(unknown.body()));
      assertEquals(0, patient.http.forwarding().orElseThrow().resent());
    }
  }

  @Test
  void tokensGoAlongAndAreCheckedOnBothNodes() throws Exception {
    Tokens tokens = Tokens.parse("read aaaaaaaaaaaaaaaaaaaa\nwrite bbbbbbbbbbbbbbbbbbbb\n");
    FakeReplication first = new FakeReplication();
    FakeReplication second = new FakeReplication();
    first.leading = true;
    HttpServer.Settings settings = ServerUnderTest.openTo(Authorizer.withTokens(tokens));
    try (ServerUnderTest leads = node(1, first, settings, ServerUnderTest.PATIENCE);
        ServerUnderTest follows = node(2, second, settings, ServerUnderTest.PATIENCE)) {
      second.leaderUrl = Optional.of(url(leads));
      String[] writer = {"Authorization", "Bearer bbbbbbbbbbbbbbbbbbbb"};
      assertEquals(201, put(follows, "/v1/kv/k", "v", writer).statusCode());
      String[] reader = {"Authorization", "Bearer aaaaaaaaaaaaaaaaaaaa"};
      assertEquals(403, put(follows, "/v1/kv/k", "w", reader).statusCode());
      assertEquals(401, put(follows, "/v1/kv/k", "w").statusCode());
      assertEquals(1, follows.http.forwarding().orElseThrow().forwarded());
      assertEquals("v", leads.map.get("k"));
    }
  }

  @Test
  void whatConcernsOneConnectionIsNotForwarded() throws Exception {
    try (RawClient client = follower.connect()) {
      int port = follower.http.address().getPort();
      client.send(
          "PUT /v1/kv/k HTTP/1.1\r\nHost: localhost:"
              + port
              + "\r\nOrigin: http://localhost:"
              + port
              + "\r\nConnection: keep-alive, If-None-Match\r\nIf-None-Match: nonsense\r\n"
              + "Keep-Alive: timeout=1\r\nTE: trailers\r\nContent-Length: 1\r\n\r\nx");
      RawClient.Response answer = client.receive();
      assertEquals(201, answer.status(), answer.body());
      assertEquals("timeout=75", answer.header("keep-alive"));
      client.send("DELETE /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      assertEquals(204, client.receive().status());
      client.awaitClosed();
    }
  }
}
