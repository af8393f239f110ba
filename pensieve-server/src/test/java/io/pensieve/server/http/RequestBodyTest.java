package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.protocol.SizeLimits;
import java.io.EOFException;
import java.net.SocketException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bodies as HTTP libraries do not send them. */
final class RequestBodyTest {
  private static final String PUT =
      "POST /put HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n";
  private static final String BODY = "{\"key\":\"foo\",\"val\":\"bar\"}";

  private static final int VALUE_BYTES_MAX = 1 << 20; // of the server that is refused most

  private ServerUnderTest server;
  private RawClient client;

  @BeforeEach
  void start() throws Exception {
    server = ServerUnderTest.start();
    client = server.connect();
  }

  @AfterEach
  void nothingIsLeftInFlight() throws Exception {
    client.close();
    Await.until("nothing in flight", () -> server.http.requestsInFlight() == 0);
    server.close();
  }

  @ParameterizedTest
  @ValueSource(longs = {2_000_000_000L, 1L << 40})
  void aClaimedLengthAboveTheLimitIsRefusedUnread(long claimed) throws Exception {
    client.send(PUT + "Content-Length: " + claimed + "\r\n\r\nabc");
    RawClient.Response answer = client.receive();
    assertEquals(413, answer.status());
    assertEquals("body_too_large", ServerUnderTest.code(answer.body()));
    assertEquals("close", answer.header("connection"));
    assertTrue(answer.body().contains(String.valueOf(claimed)), answer.body());
    assertTrue(answer.body().contains("" + SizeLimits.defaults().bodyBytesMax()), answer.body());
  }

  @Test
  void aClaimedLengthWithinTheLimitAllocatesNothing() throws Exception {
    // 48 MiB each; all of them together are more than the heap of this test.
    RawClient[] liars = new RawClient[64];
    for (int i = 0; i < liars.length; i++) {
      liars[i] = server.connect();
      liars[i].send(
          PUT + "Content-Length: " + SizeLimits.defaults().bodyBytesMax() + "\r\n\r\nabc");
    }
    Await.until("all are in flight", () -> server.http.requestsInFlight() == liars.length);
    server.put("foo", "bar");
    for (RawClient liar : liars) {
      liar.close();
    }
  }

  @Test
  void endlessChunksAreCutAtTheLimit() throws Exception {
    String chunk = "100000\r\n" + "x".repeat(1 << 20) + "\r\n";
    client.send(PUT + "Transfer-Encoding: chunked\r\n\r\n");
    int chunksWithinLimit = SizeLimits.defaults().bodyBytesMax() >> 20;
    for (int i = 0; i < chunksWithinLimit + 2; i++) {
      client.send(chunk);
    }
    RawClient.Response answer = client.receive();
    assertEquals(413, answer.status());
    assertEquals("body_too_large", ServerUnderTest.code(answer.body()));
    assertTrue(answer.body().contains("more than"), answer.body());
  }

  @Test
  void aClientThatSendsOnAfterARefusalIsCutOff() throws Exception {
    client.send(
        PUT + "Transfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n5\r\nabcde\r\n");
    assertEquals(415, client.receive().status());
    client.awaitClosed();
  }

  @Test
  void chunkedBodiesAreRead() throws Exception {
    client.send(PUT + "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < BODY.length(); i++) {
      client.send("1\r\n" + BODY.charAt(i) + "\r\n");
    }
    assertEquals(200, client.send("0\r\n\r\n").receive().status());
    assertEquals("bar", server.map.get("foo"));
  }

  @Test
  void bodiesThatComeByteByByteAreRead() throws Exception {
    client.send(PUT + "Content-Length: " + BODY.length() + "\r\n\r\n");
    for (int i = 0; i < BODY.length(); i++) {
      client.send(String.valueOf(BODY.charAt(i)));
    }
    assertEquals(200, client.receive().status());
    assertEquals("bar", server.map.get("foo"));
  }

  @Test
  void continueIsAnsweredBeforeTheBodyIsSent() throws Exception {
    client.send(PUT + "Expect: 100-continue\r\nContent-Length: " + BODY.length() + "\r\n\r\n");
    assertEquals(100, client.receive().status());
    assertEquals(200, client.send(BODY).receive().status());
    assertEquals("bar", server.map.get("foo"));
  }

  @Test
  void continueIsRefusedForABodyThatIsTooLarge() throws Exception {
    client.send(PUT + "Expect: 100-continue\r\nContent-Length: 2000000000\r\n\r\n");
    assertEquals(413, client.receive().status());
  }

  @Test
  void continueIsRefusedForAnotherMediaType() throws Exception {
    client.send(
        "POST /put HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 20\r\n\r\n");
    assertEquals(415, client.receive().status());
  }

  @ParameterizedTest
  @ValueSource(strings = {"Content-Length: 0\r\n", ""})
  void anEmptyBodyIsMalformedJson(String header) throws Exception {
    RawClient.Response answer = client.send(PUT + header + "\r\n").receive();
    assertEquals(400, answer.status());
    assertEquals("malformed_json", ServerUnderTest.code(answer.body()));
  }

  @Test
  void aHalfBodyIsCutOffAndChangesNothing() throws Exception {
    server.close();
    server =
        new ServerUnderTest(
            io.pensieve.log.Log.none(),
            ServerUnderTest.patientFor(Duration.ofMillis(300)),
            Cluster.alone(1));
    client = server.connect();
    client.send(PUT + "Content-Length: 100\r\n\r\n" + BODY);
    client.awaitClosed();
    assertTrue(server.map.isEmpty());
  }

  @Test
  void aHalfHeaderIsCutOff() throws Exception {
    server.close();
    server =
        new ServerUnderTest(
            io.pensieve.log.Log.none(),
            ServerUnderTest.patientFor(Duration.ofMillis(300)),
            Cluster.alone(1));
    client = server.connect();
    client.send("POST /put HTT");
    client.awaitClosed();
  }

  @Test
  void aClientThatGoesAwayInTheMiddleOfABodyLeavesNothing() throws Exception {
    client.send(PUT + "Content-Length: 100\r\n\r\n" + BODY);
    Await.until("the request is in flight", () -> server.http.requestsInFlight() == 1);
    client.close();
    Await.until("nothing in flight", () -> server.http.requestsInFlight() == 0);
    assertTrue(server.map.isEmpty());
  }

  @Test
  void aClientThatEndsInTheMiddleOfABodyIsNoFaultOfTheServer() throws Exception {
    client.send(PUT + "Content-Length: 100\r\n\r\n" + BODY).endOutput();
    assertThrows(EOFException.class, client::receive);
    assertTrue(server.map.isEmpty());
  }

  @ParameterizedTest
  @ValueSource(strings = {"9223372036854775808", "19223372036854775807", "18446744073709551629"})
  void aClaimedLengthThatIsNoLongIsRefusedAndTheConnectionClosed(String claimed) throws Exception {
    client.send(PUT + "Content-Length: " + claimed + "\r\n\r\n" + BODY);
    RawClient.Response answer = client.receive();
    assertTrue(answer.status() == 413 || answer.status() == 400, answer::toString);
    assertEquals("close", answer.header("connection"));
    assertTrue(server.map.isEmpty());
  }

  @Test
  void headersHaveALimit() throws Exception {
    // Refused with a status or by a cut: but never taken.
    try {
      client.send("GET /get/foo HTTP/1.1\r\nHost: test\r\nX: " + "x".repeat(64 << 10) + "\r\n\r\n");
      assertTrue(client.receive().status() >= 400);
    } catch (EOFException | SocketException cut) {
      client.close();
    }
  }

  @Test
  void theLargestValueRoundTrips() throws Exception {
    String value = "😀".repeat(SizeLimits.DEFAULT_VALUE_BYTES_MAX / 4);
    server.put("large", value);
    assertEquals(value, server.get("large"));
  }

  @Test
  void aValueAboveTheLimitIsRefused() throws Exception {
    String value = "x".repeat(SizeLimits.DEFAULT_VALUE_BYTES_MAX + 1);
    var answer = server.post("/put", "{\"key\":\"foo\",\"val\":\"" + value + "\"}");
    assertEquals(413, answer.statusCode());
    assertEquals("value_too_large", ServerUnderTest.code(answer.body()));
    assertTrue(answer.body().contains("16777217") && answer.body().contains("16777216"));
    assertTrue(server.map.isEmpty());
  }

  @Test
  void aHeartbeatIsSmall() throws Exception {
    var answer = server.post("/internal/heartbeat", "{\"node_id\":2" + " ".repeat(2000) + "}");
    assertEquals(413, answer.statusCode());
  }

  @Test
  void aRefusedBodyChangesNothingHoweverItsConnectionEnds(@TempDir Path folder) throws Exception {
    // Whoever reads a body is woken once more when the connection breaks, and finds an end there.
    server.close();
    server = ServerUnderTest.over(folder, new SizeLimits(1024, VALUE_BYTES_MAX));
    String chunk = "10000\r\n" + "x".repeat(1 << 16) + "\r\n";
    String tooLong = chunk.repeat(1 + (VALUE_BYTES_MAX >> 16));
    server.put("k", "kept");
    for (int i = 0; i < 40; i++) {
      try (RawClient refused = server.connect()) {
        refused.send("PUT /v1/kv/k HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
        refused.send(tooLong);
        if (i % 2 == 0) {
          refused.reset();
        }
      }
      Await.until("it has ended", () -> server.http.requestsInFlight() == 0);
      assertEquals("kept", server.get("k"));
    }
  }
}
