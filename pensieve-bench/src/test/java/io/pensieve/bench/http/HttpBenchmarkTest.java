package io.pensieve.bench.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What stands beside the server in its benchmark works. */
class HttpBenchmarkTest {
  private final BareServer server = new BareServer(0, BareServer.Handler.BARE);
  private final BareServer barest = new BareServer(0, BareServer.Handler.BAREST);
  private final HttpClient client = HttpClient.newHttpClient();

  @AfterEach
  void stop() {
    server.close();
    barest.close();
  }

  @Test
  void theBareServerAnswersAsTheRealOneDoes() throws Exception {
    assertEquals("{\"val\":\"" + "v".repeat(100) + "\"}", send(request("/get/a").GET()));
  }

  @Test
  void theBareServerReadsALongBodyToItsEnd() throws Exception {
    for (int bytes : new int[] {0, 10, 1_000_000}) {
      assertEquals(
          "{\"status\":\"ok\"}",
          send(request("/put").POST(BodyPublishers.ofByteArray(new byte[bytes]))));
    }
  }

  @Test
  void theBarestServerAnswersTheSameWithoutATypeWhateverTheBody() throws Exception {
    HttpResponse<String> got = response(request(barest, "/get/a").GET());
    assertEquals("{\"val\":\"" + "v".repeat(100) + "\"}", got.body());
    assertEquals(Set.of("content-length", "date"), got.headers().map().keySet());
    for (int bytes : new int[] {0, 10, 1_000_000}) {
      assertEquals(
          "{\"status\":\"ok\"}",
          send(request(barest, "/put").POST(BodyPublishers.ofByteArray(new byte[bytes]))));
    }
  }

  @Test
  void hostileClientsStayOpenAndAttackWithoutHurtingIt() throws Exception {
    HostileConnections hostileConnections = new HostileConnections(server.address());
    hostileConnections.openIdle(100);
    hostileConnections.flood(1_000, 30);
    assertEquals(100, hostileConnections.idle());
    assertTrue(send(request("/get/a").GET()).contains("val"));
    hostileConnections.close();
    assertEquals(0, hostileConnections.idle());
  }

  private HttpRequest.Builder request(String path) {
    return request(server, path);
  }

  private static HttpRequest.Builder request(BareServer of, String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + of.address().getPort() + path));
  }

  private String send(HttpRequest.Builder request) throws Exception {
    return response(request).body();
  }

  private HttpResponse<String> response(HttpRequest.Builder request) throws Exception {
    return client.send(
        request.version(HttpClient.Version.HTTP_1_1).build(), BodyHandlers.ofString());
  }
}
