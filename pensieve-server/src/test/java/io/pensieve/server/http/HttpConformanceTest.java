package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.protocol.SizeLimits;
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
  private static final String BEHIND = "DELETE /v1/kv/foo HTTP/1.1\r\nHost: test\r\n\r\n";
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
            + "A;a=b;c=\"d\"\r\n"
            + "0123456789\r\n"
            + "000b\r\n\r\n"
            + "0\r\n\r\n"
            + "abcd\r\n"
            + "0\r\n"
            + "Trailer: value\r\n\r\n");
    assertEquals(201, client.receive().status());
    assertEquals(
        "0123456789\r\n0\r\n\r\nabcd", client.request("GET", "/v1/kv/foo").receive().body());
    assertStillOfUse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "z\r\nabc",
        "g\r\n\r\n",
        "-1\r\nabc",
        "+0\r\n\r\n",
        "-0\r\n\r\n",
        " 0\r\n\r\n",
        "0 \r\n\r\n",
        "0x0\r\n\r\n",
        "0_0\r\n\r\n",
        "0,0\r\n\r\n",
        "\r\n",
        "\r\n\r\n",
        "0\n\n",
        "0\r\r\n",
        "0\n\r\n",
        "0\r\n\n",
        "0;\u0000\r\n\r\n",
        "0;a=\"\u0007\"\r\n\r\n",
        "3\r\nabcdef\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "3\r\nabc\r\n\r\n\r\n",
        "3\r\nabc\r\nzz\r\n\r\n",
        "3\rabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "3g\r\nabc\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\n",
        "10000000000000001\r\nx\r\n0\r\n\r\n",
        "0\r\nTrailer\r\n\r\n",
        "0\r\n: value\r\n\r\n",
        "0\r\nA b: value\r\n\r\n",
        "0\r\nA: b\r\n folded\r\n\r\n",
        "0\r\nA: \u0000\r\n\r\n",
        "0\r\nA: b\rc\r\n\r\n",
        "0\r\nA: b\n\r\n",
        "0\r\nPensieve-Fault: CHUNK\r\n\r\n",
      })
  void aBrokenChunkIsRefusedChangesNothingAndEndsTheConnection(String chunk) throws Exception {
    server.put("foo", "bar");
    for (String method : new String[] {"PUT", "DELETE"}) {
      String head = method + " /v1/kv/foo" + HOST + "Transfer-Encoding: chunked\r\n\r\n";
      // All at once, and byte by byte.
      String[] pieces = method.equals("PUT") ? new String[] {chunk + BEHIND} : chunk.split("");
      try (RawClient sender = server.connect()) {
        sender.send(head);
        for (String piece : pieces) {
          sender.send(piece);
        }
        assertRefusedAndClosed(sender, chunk);
      }
      assertEquals("bar", server.map.get("foo"));
    }
  }

  private static void assertRefusedAndClosed(RawClient sender, String what) throws Exception {
    RawClient.Response refused = sender.receive();
    assertTrue(refused.status() >= 400 && refused.status() <= 501, what + " " + refused);
    assertEquals("application/problem+json", refused.header("content-type"), what);
    assertEquals("close", refused.header("connection"), what);
    assertEquals("", sender.receiveToEnd(), "behind " + what);
  }

  @Test
  void whatIsLongerThanChunksNeedIsRefused() throws Exception {
    String[] endless = {
      "0;" + "x".repeat(300) + "\r\n\r\n",
      "0".repeat(300),
      "0\r\n" + "A: b\r\n".repeat(6000),
      "0\r\nA: " + "b".repeat(40_000),
    };
    for (String chunk : endless) {
      try (RawClient sender = server.connect()) {
        sender.send("PUT /v1/kv/foo" + HOST + "Transfer-Encoding: chunked\r\n\r\n" + chunk);
        assertRefusedAndClosed(sender, chunk.substring(0, 4));
      }
    }
    assertNull(server.map.get("foo"));
  }

  // RFC 9112, 6.3: what two servers in a row could understand differently is how requests are
  // smuggled.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
        "Content-Length:\r\n\r\n",
        "Content-Length: 3;\r\n\r\nabc",
        "Content-Length: \u0663\r\n\r\nabc",
        "Content-Length: 0\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "Content-Length: 0\r\nTransfer-Encoding:\u000bchunked\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding:\r\n\r\n0\r\n\r\n",
        "X: a\u0000b\r\n\r\n",
        "X: a\rb\r\n\r\n",
        "X: a\nY: b\r\n\r\n",
        "X : a\r\n\r\n",
        "X\r\n\r\n",
        ": a\r\n\r\n",
        "X: a\r\n folded\r\n\r\n",
        "X: a\r\n\n",
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
    for (boolean byteByByte : new boolean[] {false, true}) {
      try (RawClient sender = server.connect()) {
        String request = "PUT /v1/kv/foo" + HOST + framing;
        // The answer comes as soon as the fault is there, so it is sent as a whole at the end.
        int slow = byteByByte ? HOST.length() : 0;
        for (char c : request.substring(0, slow).toCharArray()) {
          sender.send(String.valueOf(c));
        }
        sender.send(request.substring(slow) + BEHIND);
        assertRefusedAndClosed(sender, framing);
      }
      assertNull(server.map.get("foo"));
    }
  }

  @Test
  void anAnswerBeforeABrokenRequestIsGivenInItsTurn() throws Exception {
    String get = "GET /livez" + HOST + "\r\n";
    client.send(get + get + "GET /livez HTTP/1.1\r\nHost : test\r\n\r\n" + BEHIND + get);
    assertEquals(200, client.receive().status());
    assertEquals(200, client.receive().status());
    assertRefusedAndClosed(client, "a field's name with a space");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "PUT /v1/kv/foo HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
        "DELETE /v1/kv/foo HTTP/3.0\r\nHost: test\r\n\r\n",
        "DELETE /v1/kv/foo HTTP/2.0\r\nHost: test\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "DELETE /v1/kv/foo HTTP/1.10\r\nHost: test\r\n\r\n",
        "DELETE /v1/kv/foo http/1.1\r\nHost: test\r\n\r\n",
        "DELETE  /v1/kv/foo HTTP/1.1\r\nHost: test\r\n\r\n",
        "DELETE\t/v1/kv/foo HTTP/1.1\r\nHost: test\r\n\r\n",
        "DELETE /v1/kv/foo\r\nHost: test\r\n\r\n",
        "DELETE /v1/kv/foo HTTP/1.1\nHost: test\n\n",
        "DELETE /v1/kv/foo HTTP/1.1\r\nHost: te st\r\n\r\n",
        "DELETE /v1/kv/foo HTTP/1.1\r\nHost: test:99999\r\n\r\n",
        "DELETE /v1/kv/foo HTTP/1.1\r\nHost: [test]\r\n\r\n",
        "DELETE /v1/kv/foo HTTP/1.1\r\nHost: a@test\r\n\r\n",
        "DELETE /v1/kv/foo HTTP/1.1\r\nHost:\r\n\r\n",
        "DELETE http://other/v1/kv/foo HTTP/1.1\r\nHost: test\r\n\r\n",
        "DELETE ftp://test/v1/kv/foo HTTP/1.1\r\nHost: test\r\n\r\n",
        "DELETE v1/kv/foo HTTP/1.1\r\nHost: test\r\n\r\n",
        "DELETE * HTTP/1.1\r\nHost: test\r\n\r\n",
        "CONNECT test:80 HTTP/1.1\r\nHost: test\r\n\r\n",
        "head /v1/kv/foo HTTP/1.1\r\nHost: test\r\n\r\n",
        "DEL(TE /v1/kv/foo HTTP/1.1\r\nHost: test\r\n\r\n",
        "\u0016\u0003\u0001",
      })
  void aHeadThatIsNoneIsRefusedWithAProblem(String head) throws Exception {
    client.send(head + "0\r\n\r\n" + BEHIND);
    RawClient.Response refused = client.receive();
    assertTrue(refused.status() == 400 || refused.status() == 505, refused::toString);
    assertEquals("application/problem+json", refused.header("content-type"));
    assertEquals("", client.receiveToEnd());
  }

  @ParameterizedTest
  @ValueSource(strings = {"delete", "Delete", "put", "GeT"})
  void methodsAreInCapitals(String method) throws Exception {
    server.put("foo", "bar");
    client.send(method + " /v1/kv/foo" + HOST + "Content-Length: 0\r\n\r\n");
    RawClient.Response refused = client.receive();
    assertEquals(405, refused.status());
    assertEquals("method_not_allowed", ServerUnderTest.code(refused.body()));
    assertEquals("bar", server.map.get("foo"));
    assertStillOfUse();
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
    int budget = SizeLimits.DEFAULT_HEADER_BYTES_MAX - begin.length() - "\r\n".length();
    client.send(begin + "x".repeat(budget) + "\r\n\r\n");
    assertEquals(200, client.receive().status());
    client.send(begin + "x".repeat(budget + 1) + "\r\n\r\n");
    RawClient.Response refused = client.receive();
    assertEquals(431, refused.status());
    assertEquals("header_too_large", ServerUnderTest.code(refused.body()));
    assertTrue(refused.body().contains("16385 bytes, the limit is 16384"), refused.body());
    assertStillOfUse();
    client.send(begin + "x".repeat(2 * SizeLimits.DEFAULT_HEADER_BYTES_MAX) + "\r\n\r\n");
    RawClient.Response cut = client.receive();
    assertEquals(431, cut.status());
    assertEquals("header_too_large", ServerUnderTest.code(cut.body()));
    client.awaitClosed();
  }

  private void assertStillOfUse() throws Exception {
    assertEquals(200, client.request("GET", "/livez").receive().status());
  }
}
