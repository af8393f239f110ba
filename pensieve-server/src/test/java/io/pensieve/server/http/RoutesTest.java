package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.net.URI;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class RoutesTest {
  private final RecordingCluster cluster = new RecordingCluster();
  private ServerUnderTest server;

  @BeforeEach
  void start() throws Exception {
    server = new ServerUnderTest(io.pensieve.log.Log.none(), ServerUnderTest.settings(), cluster);
  }

  @AfterEach
  void everyRequestIsAnsweredToItsEnd() throws Exception {
    Await.until("nothing in flight", () -> server.http.requestsInFlight() == 0);
    server.close();
  }

  @Test
  void getAnswersTheValue() throws Exception {
    server.map.put("foo", "bar");
    assertAnswer("{\"val\":\"bar\"}", server.send(server.request("/get/foo")));
  }

  @Test
  void getOfAMissingKeyAnswersAnEmptyValue() throws Exception {
    assertAnswer("{\"val\":\"\"}", server.send(server.request("/get/foo")));
  }

  @Test
  void putStores() throws Exception {
    assertAnswer("{\"status\":\"ok\"}", server.post("/put", "{\"key\":\"foo\",\"val\":\"bar\"}"));
    assertEquals("bar", server.map.get("foo"));
  }

  @Test
  void putOverwrites() throws Exception {
    server.put("foo", "old");
    server.put("foo", "new");
    assertEquals("new", server.map.get("foo"));
  }

  @Test
  void deleteRemoves() throws Exception {
    server.map.put("foo", "bar");
    assertAnswer("{\"status\":\"ok\"}", server.send(server.request("/delete/foo").DELETE()));
    assertFalse(server.map.containsKey("foo"));
  }

  @Test
  void deleteOfAMissingKeyIsOk() throws Exception {
    assertAnswer("{\"status\":\"ok\"}", server.send(server.request("/delete/foo").DELETE()));
  }

  @Test
  void answersAreCompactAndNotEscapedForHtml() throws Exception {
    server.map.put("foo", "<a href='x'>&=\"\\\n\u2028</a>");
    assertAnswer(
        "{\"val\":\"<a href='x'>&=\\\"\\\\\\n\\u2028</a>\"}",
        server.send(server.request("/get/foo")));
  }

  @Test
  void heartbeatEchoesTheSenderAndTellsWhoAnswers() throws Exception {
    HttpResponse<String> answer = server.post("/internal/heartbeat", "{\"node_id\":2}");
    assertAnswer("{\"status\":\"ok\",\"node_id\":2}", answer);
    assertEquals("7", answer.headers().firstValue("Pensieve-Node-Id").orElse(""));
    assertEquals(List.of(2L), cluster.heard);
  }

  @Test
  void clusterShowsEveryPeer() throws Exception {
    cluster.peers.add(
        new Cluster.Peer(
            URI.create("http://b:1"),
            OptionalLong.of(2),
            "alive",
            0.49987,
            OptionalLong.of(12),
            345));
    cluster.peers.add(
        new Cluster.Peer(
            URI.create("http://c:1"),
            OptionalLong.empty(),
            "dead",
            Double.POSITIVE_INFINITY,
            OptionalLong.empty(),
            6));
    assertAnswer(
        "{\"node_id\":7,\"peers\":["
            + "{\"url\":\"http://b:1\",\"id\":2,\"state\":\"alive\",\"phi\":0.5,"
            + "\"last_heard_ms\":12,\"since_ms\":345},"
            + "{\"url\":\"http://c:1\",\"id\":null,\"state\":\"dead\","
            + "\"phi\":1.0E9,\"last_heard_ms\":null,\"since_ms\":6}]}",
        server.send(server.request("/cluster")));
  }

  @Test
  void headAnswersAsGetWithoutBody() throws Exception {
    server.map.put("foo", "bar");
    try (RawClient client = server.connect()) {
      RawClient.Response head = client.request("HEAD", "/get/foo").receiveWithoutBody();
      assertEquals(200, head.status());
      assertEquals("13", head.header("content-length"));
      assertEquals("application/json", head.header("content-type"));
      assertEquals("{\"val\":\"bar\"}", client.request("GET", "/get/foo").receive().body());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "/get/foo, 'GET, HEAD, OPTIONS'",
    "/put, 'POST, OPTIONS'",
    "/delete/foo, 'DELETE, OPTIONS'",
    "/internal/heartbeat, 'POST, OPTIONS'",
    "/cluster, 'GET, HEAD, OPTIONS'",
    "/livez, 'GET, HEAD, OPTIONS'",
    "/readyz, 'GET, HEAD, OPTIONS'",
    "/metrics, 'GET, HEAD, OPTIONS'",
    "*, 'GET, POST, DELETE, PUT, PATCH, HEAD, OPTIONS'"
  })
  void optionsTellsWhatIsAllowed(String path, String allow) throws Exception {
    try (RawClient client = server.connect()) {
      RawClient.Response options = client.request("OPTIONS", path).receive();
      assertEquals(204, options.status());
      assertEquals(allow, options.header("allow"));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "POST, /get/foo, 'GET, HEAD, OPTIONS'",
    "GET, /put, 'POST, OPTIONS'",
    "HEAD, /put, 'POST, OPTIONS'",
    "PATCH, /delete/foo, 'DELETE, OPTIONS'",
    "PUT, /internal/heartbeat, 'POST, OPTIONS'",
    "BREW, /cluster, 'GET, HEAD, OPTIONS'"
  })
  void otherMethodsAreNotAllowed(String method, String path, String allow) throws Exception {
    HttpResponse<String> answer =
        server.send(server.request(path).method(method, BodyPublishers.noBody()));
    assertEquals(405, answer.statusCode());
    assertEquals(allow, answer.headers().firstValue("Allow").orElse(""));
    if (!method.equals("HEAD")) {
      assertEquals("method_not_allowed", ServerUnderTest.code(answer.body()));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/", "/get", "/put/", "/Get/foo", "/%67et/foo", "//get/foo", "/v1/kv", "/v1/kx/a"})
  void otherPathsAreNotFound(String path) throws Exception {
    HttpResponse<String> answer = server.send(server.request(path));
    assertEquals(404, answer.statusCode());
    assertEquals("no_such_route", ServerUnderTest.code(answer.body()));
    assertEquals(
        "application/problem+json", answer.headers().firstValue("Content-Type").orElse(""));
  }

  private static void assertAnswer(String body, HttpResponse<String> answer) {
    assertEquals(body, answer.body());
    assertEquals(200, answer.statusCode());
    assertEquals("application/json", answer.headers().firstValue("Content-Type").orElse(""));
  }

  private static final class RecordingCluster implements Cluster {
    final List<Long> heard = new ArrayList<>();
    final List<Peer> peers = new ArrayList<>();

    @Override
    public long nodeId() {
      return 7;
    }

    @Override
    public void onHeartbeat(long nodeId) {
      heard.add(nodeId);
    }

    @Override
    public List<Peer> peers() {
      return peers;
    }
  }
}
