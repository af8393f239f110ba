package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.server.http.access.AllowedHosts;
import io.pensieve.server.http.access.Authorizer;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a server without tokens answers to those who come through a browser on its machine. */
final class AllowedHostsTest {
  private ServerUnderTest server;
  private RawClient client;

  @BeforeEach
  void start() throws Exception {
    AllowedHosts hosts = AllowedHosts.named(Set.of("pensieve.example"));
    server =
        new ServerUnderTest(
            io.pensieve.log.Log.none(),
            ServerUnderTest.openTo(Authorizer.open(hosts)),
            Cluster.alone(1));
    client = server.connect();
  }

  @AfterEach
  void close() throws Exception {
    client.close();
    server.close();
  }

  private RawClient.Response send(String method, String path, String headers) throws Exception {
    String type = "Content-Type: application/json\r\nContent-Length: ";
    String body = path.equals("/internal/heartbeat") ? "{\"node_id\":2}" : "";
    String head = method + " " + path + " HTTP/1.1\r\n" + headers + "\r\n";
    return client.send(head + type + body.length() + "\r\n\r\n" + body).receive();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "localhost",
        "LocalHost:7878",
        "127.0.0.1",
        "127.1.2.3:80",
        "[::1]",
        "[::1]:7878",
        "pensieve.example",
        "Pensieve.Example:1234"
      })
  void whoCallsItByItsNameIsAnswered(String host) throws Exception {
    assertEquals(200, send("GET", "/livez", "Host: " + host).status());
    assertEquals(200, send("GET", "/get/k", "Host: " + host).status());
    assertEquals(204, send("DELETE", "/v1/kv/k", "Host: " + host).status());
    String own = "Host: " + host + "\r\nOrigin: http://" + host;
    assertEquals(204, send("DELETE", "/v1/kv/k", own).status());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "evil.example",
        "evil.example:7878",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "notlocalhost",
        "10.0.0.1",
        "[::2]",
        "test"
      })
  void whoCallsItByAnotherIsNot(String host) throws Exception {
    for (String path : new String[] {"/livez", "/get/k", "/v1/watch", "/metrics"}) {
      assertEquals(200, send("GET", "/livez", "Host: localhost").status()); // opens to no other
      RawClient.Response refused = send("GET", path, "Host: " + host);
      assertEquals(421, refused.status());
      assertEquals("misdirected_request", ServerUnderTest.code(refused.body()));
    }
    assertEquals(421, send("DELETE", "/v1/kv/k", "Host: " + host).status());
  }

  @ParameterizedTest
  @ValueSource(strings = {"http://evil.example", "https://localhost.evil.example", "null", "", "x"})
  void aPageOfAnotherServerWritesNothing(String origin) throws Exception {
    server.map.put("k", "v");
    String headers = "Host: localhost\r\nOrigin: " + origin;
    RawClient.Response refused = send("DELETE", "/v1/kv/k", headers);
    assertEquals(403, refused.status());
    assertEquals("foreign_origin", ServerUnderTest.code(refused.body()));
    assertEquals(403, send("POST", "/internal/heartbeat", headers).status());
    assertEquals("v", server.map.get("k"));
    assertEquals(200, send("GET", "/get/k", headers).status());
    String allowed = "Host: localhost\r\nOrigin: https://pensieve.example";
    assertEquals(204, send("DELETE", "/v1/kv/k", allowed).status());
  }

  @Test
  void aPeerCallsItWhateverItLikes() throws Exception {
    assertEquals(200, send("POST", "/internal/heartbeat", "Host: node-b:7878").status());
  }

  @Test
  void whoeverHasAToolOfOldIsAnswered() throws Exception {
    client.send("GET /livez HTTP/1.0\r\n\r\n");
    assertEquals(200, client.receive().status());
  }
}
