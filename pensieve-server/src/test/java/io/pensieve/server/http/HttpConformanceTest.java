package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Log;
import java.time.Duration;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What RFC 9110 and RFC 9112 ask of a server, by a client that sends just the bytes it is told to.
 * After each test the connection, or a new one, is of use.
 */
final class HttpConformanceTest {
  private static final String HOST = " HTTP/1.1\r\nHost: test\r\n";

  private ServerUnderTest server;
  private RawClient client;

  @BeforeEach
  void start() throws Exception {
    server = ServerUnderTest.start();
    client = server.connect();
  }

  @AfterEach
  void theServerIsHealthy() throws Exception {
    Await.until("nothing in flight", () -> server.http.requestsInFlight() == 0);
    try (RawClient next = server.connect()) {
      assertEquals(200, next.request("GET", "/livez").receive().status());
    }
    client.close();
    server.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/get/foo", "/v1/kv/foo", "/v1/kv/missing", "/livez", "/cluster", "/no"})
  void headIsGetWithoutTheBody(String path) throws Exception {
    server.put("foo", "bar");
    RawClient.Response head = client.request("HEAD", path).receiveWithoutBody();
    RawClient.Response get = client.request("GET", path).receive();
    assertEquals(get.status(), head.status());
    for (String name : new String[] {"content-length", "content-type", "etag"}) {
      assertEquals(get.header(name), head.header(name), name);
    }
    assertStillOfUse();
  }

  @Test
  void headOfWhatTakesNoGetIsRefusedWithoutABody() throws Exception {
    RawClient.Response head = client.request("HEAD", "/put").receiveWithoutBody();
    assertEquals(405, head.status());
    assertEquals("POST, OPTIONS", head.header("allow"));
    assertStillOfUse();
  }

  @Test
  void optionsHasNoBodyAndTakesOne() throws Exception {
    client.send("OPTIONS /put" + HOST + "Content-Length: 3\r\n\r\nabc");
    RawClient.Response options = client.receive();
    assertEquals(204, options.status());
    assertNull(options.headers().get("content-length"));
    assertNull(options.headers().get("transfer-encoding"));
    assertStillOfUse();
  }

  @Test
  void aBodyOfLengthZeroIsAnEmptyValue() throws Exception {
    client.send("PUT /v1/kv/foo" + HOST + "Content-Length: 0\r\n\r\n");
    assertEquals(201, client.receive().status());
    RawClient.Response get = client.request("GET", "/v1/kv/foo").receive();
    assertEquals(200, get.status());
    assertEquals("0", get.header("content-length"));
    assertStillOfUse();
  }

  @Test
  void noLengthAtAllIsAnEmptyBody() throws Exception {
    client.send("PUT /v1/kv/foo" + HOST + "\r\n");
    assertEquals(201, client.receive().status());
    assertEquals("", client.request("GET", "/v1/kv/foo").receive().body());
  }

  @Test
  void aBodyThatNobodyAskedForIsSkipped() throws Exception {
    client.send("GET /v1/kv/foo" + HOST + "Content-Length: 5\r\n\r\nGET /");
    assertEquals(404, client.receive().status());
    client.send(
        "DELETE /v1/kv/foo" + HOST + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n");
    assertEquals(204, client.receive().status());
    assertStillOfUse();
  }

  @Test
  void chunksMayHaveExtensionsCapitalsAndTrailers() throws Exception {
    client.send(
        "PUT /v1/kv/foo"
            + (HOST + "Transfer-Encoding: chunked\r\n\r\n")
            + "A;a=b;c=\"d\"\r\n0123456789\r\n000b\r\n\r\n0\r\n\r\nabcd\r\n0\r\nTrailer: value\r\n\r\n");
    assertEquals(201, client.receive().status());
    assertEquals(
        "0123456789\r\n0\r\n\r\nabcd", client.request("GET", "/v1/kv/foo").receive().body());
    assertStillOfUse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"z\r\nabc", "-1\r\nabc", "\r\n", "3\r\nabcdef\r\n", "ffffffffffffffffff\r\n"})
  void aBrokenChunkChangesNothingAndEndsTheConnection(String chunk) throws Exception {
    // Some of these Undertow refuses, for others it waits for more until the client was too silent.
    try (ServerUnderTest impatient =
            new ServerUnderTest(
                Log.none(), ServerUnderTest.patientFor(Duration.ofMillis(300)), Cluster.alone(1));
        RawClient sender = impatient.connect()) {
      sender.send("PUT /v1/kv/foo" + HOST + "Transfer-Encoding: chunked\r\n\r\n" + chunk);
      sender.awaitClosed();
      Await.until("nothing in flight", () -> impatient.http.requestsInFlight() == 0);
      assertNull(impatient.memories.get("foo"));
    }
  }

  // RFC 9112, 6.3: what two servers in a row could understand differently is how requests are
  // smuggled.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "Content-Length: 3, 4\r\n\r\nabcd",
        "Content-Length: -3\r\n\r\nabc",
        "Content-Length: +3\r\n\r\nabc",
        "Content-Length: 0x3\r\n\r\nabc",
        "Content-Length: 99999999999999999999\r\n\r\nabc",
        "Content-Length : 3\r\n\r\nabc",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: gzip\r\n\r\nabc",
        "Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc",
        " folded: header\r\nContent-Length: 3\r\n\r\nabc",
      })
  void aLengthThatIsNotClearIsRefusedAndEndsTheConnection(String framing) throws Exception {
    client.send("PUT /v1/kv/foo" + HOST + framing);
    int status = client.receive().status();
    assertTrue(status >= 400 && status < 600, framing + " " + status);
    assertNull(server.memories.get("foo"));
    client.awaitClosed();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Host: a\r\nHost: b\r\n"})
  void aRequestHasOneHost(String hosts) throws Exception {
    client.send("GET /livez HTTP/1.1\r\n" + hosts + "\r\n");
    assertEquals(400, client.receive().status());
  }

  @Test
  void http10IsAnsweredAndClosed() throws Exception {
    client.send("GET /livez HTTP/1.0\r\n\r\n");
    assertEquals(200, client.receive().status());
    client.awaitClosed();
  }

  @Test
  void http10IsKeptIfItAsksForThat() throws Exception {
    for (int i = 0; i < 3; i++) {
      client.send("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      RawClient.Response answer = client.receive();
      assertEquals(200, answer.status());
      assertEquals("keep-alive", answer.header("connection").toLowerCase(Locale.ROOT));
    }
  }

  @Test
  void pipelinedBodiesAreToldApart() throws Exception {
    StringBuilder requests = new StringBuilder();
    for (int i = 0; i < 50; i++) {
      requests.append("PUT /v1/kv/a").append(HOST).append("Content-Length: 4\r\n\r\nGET ");
      requests.append("PUT /v1/kv/b").append(HOST);
      requests.append("Transfer-Encoding: chunked\r\n\r\n4\r\nPUT \r\n0\r\n\r\n");
      requests.append("GET /v1/kv/a").append(HOST).append("\r\n");
      requests.append("GET /v1/kv/b").append(HOST).append("\r\n");
    }
    client.send(requests.toString());
    for (int i = 0; i < 50; i++) {
      int written = i == 0 ? 201 : 204;
      assertEquals(written, client.receive().status());
      assertEquals(written, client.receive().status());
      assertEquals("GET ", client.receive().body());
      assertEquals("PUT ", client.receive().body());
    }
    assertStillOfUse();
  }

  @Test
  void continueIsNotAnsweredToWhomIsRefused() throws Exception {
    client.send("PUT /v1/kv/" + HOST + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    RawClient.Response refused = client.receive();
    assertEquals(422, refused.status());
    client.awaitClosed();
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET\r\n\r\n", "G(T /livez HTTP/1.1\r\nHost: test\r\n\r\n"})
  void whatIsNoHttp1IsRefused(String request) throws Exception {
    client.send(request);
    int status = client.receive().status();
    assertTrue(status >= 400 && status < 600, request + " " + status);
    client.awaitClosed();
  }

  @Test
  void aVersionThatIsNotSpokenIsRefusedInOneThatIs() throws Exception {
    client.send("GET /livez HTTP/0.9\r\nHost: test\r\n\r\n");
    RawClient.Response refused = client.receive();
    assertEquals("HTTP/1.1", refused.version());
    assertEquals(505, refused.status());
    assertEquals("unsupported_http_version", ServerUnderTest.code(refused.body()));
    client.awaitClosed();
  }

  @Test
  void aLaterMinorVersionIsAnsweredInOurs() throws Exception {
    client.send("GET /livez HTTP/1.7\r\nHost: test\r\n\r\n");
    RawClient.Response answer = client.receive();
    assertEquals("HTTP/1.1", answer.version());
    assertEquals(200, answer.status());
  }

  @Test
  void aHeaderAboveItsLimitIsRefusedByName() throws Exception {
    String begin = "GET /livez" + HOST + "X: ";
    int room = Limits.DEFAULT_HEADER_BYTES_MAX - begin.length() - "\r\n".length();
    client.send(begin + "x".repeat(room) + "\r\n\r\n");
    assertEquals(200, client.receive().status());
    client.send(begin + "x".repeat(room + 1) + "\r\n\r\n");
    RawClient.Response refused = client.receive();
    assertEquals(431, refused.status());
    assertEquals("header_too_large", ServerUnderTest.code(refused.body()));
    assertTrue(refused.body().contains("16385 bytes, the limit is 16384"), refused.body());
    assertStillOfUse();
    client.send(begin + "x".repeat(2 * Limits.DEFAULT_HEADER_BYTES_MAX) + "\r\n\r\n");
    assertEquals(400, client.receive().status());
    client.awaitClosed();
  }

  private void assertStillOfUse() throws Exception {
    assertEquals(200, client.request("GET", "/livez").receive().status());
  }
}
