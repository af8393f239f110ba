package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pensieve.log.Log;
import io.pensieve.server.http.transport.ConnectionLimits;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What becomes of clients when there are too many of them. */
final class ConnectionLimitsTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  @Test
  void oneRequestTooManyIsRefusedAndTheNextIsNot() throws Exception {
    ControlledLog log = new ControlledLog();
    try (ServerUnderTest server =
            new ServerUnderTest(
                log,
                ServerUnderTest.letting(new ConnectionLimits(100, 2, LONG, LONG)),
                Cluster.alone(1));
        RawClient first = server.connect();
        RawClient second = server.connect();
        RawClient third = server.connect()) {
      put(first);
      put(second);
      Await.until("two are under way", () -> log.writesWaiting() == 2);

      RawClient.Response refused = put(third).receive();
      assertEquals(503, refused.status());
      assertEquals("too_many_requests", ServerUnderTest.code(refused.body()));
      assertEquals("1", refused.header("retry-after"));
      assertEquals(2, log.writesWaiting());
      assertEquals(200, third.request("GET", "/livez").receive().status());
      assertEquals(200, third.request("GET", "/readyz").receive().status());

      log.confirm();
      assertEquals(200, first.receive().status());
      assertEquals(200, second.receive().status());
      Await.until("there is room", () -> server.http.requestsInFlight() == 0);
      assertEquals(200, third.request("GET", "/get/missing").receive().status());
    }
  }

  @Test
  void whoOnlyWaitsIsNotUnderWayAndIsNotMissedAfterwards() throws Exception {
    try (ServerUnderTest server =
            new ServerUnderTest(
                Log.inMemory(10),
                ServerUnderTest.letting(new ConnectionLimits(100, 1, LONG, LONG)),
                Cluster.alone(1));
        RawClient first = server.connect();
        RawClient second = server.connect();
        RawClient third = server.connect()) {
      server.map.put("k", "v");
      String poll = "GET /v1/kv/k?wait=1ms HTTP/1.1\r\nHost: test\r\nIf-None-Match: *\r\n\r\n";
      assertEquals(304, first.send(poll).receiveWithoutBody().status());
      Await.until("it has ended", () -> server.http.requestsInFlight() == 0);
      first.send(poll.replace("1ms", "1m"));
      Await.until("one waits", () -> server.http.routeTable().pollsParked() == 1);
      String put = "PUT /v1/kv/other HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n";
      second.send(put + "Expect: 100-continue\r\n\r\n");
      assertEquals(100, second.receive().status(), "it is under way");
      assertEquals(503, third.request("GET", "/get/missing").receive().status());
      assertEquals(201, second.send("b").receive().status());
    }
  }

  private static RawClient put(RawClient client) throws Exception {
    String body = "{\"key\":\"foo\",\"val\":\"bar\"}";
    return client.send(
        "POST /put HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: "
            + (body.length() + "\r\n\r\n" + body));
  }

  @Test
  void oneConnectionTooManyWaitsUntilAnotherIsClosed() throws Exception {
    try (ServerUnderTest server =
            new ServerUnderTest(
                Log.none(),
                ServerUnderTest.letting(new ConnectionLimits(2, 100, LONG, LONG)),
                Cluster.alone(1));
        RawClient second = server.connect()) {
      RawClient first = server.connect();
      assertEquals(200, first.request("GET", "/livez").receive().status());
      assertEquals(200, second.request("GET", "/livez").receive().status());
      // The system accepts it on the server's behalf, but nobody reads what it says.
      try (RawClient third = server.connect()) {
        third.request("GET", "/livez");
        assertThrows(SocketTimeoutException.class, () -> third.receiveWithin(200));
        assertEquals(200, first.request("GET", "/livez").receive().status());
        first.close();
        assertEquals(200, third.receive().status());
      }
    }
  }

  @Test
  void aServerForNobodyIsNone() {
    assertThrows(IllegalArgumentException.class, () -> new ConnectionLimits(0, 1, LONG, LONG));
    assertThrows(IllegalArgumentException.class, () -> new ConnectionLimits(1, 0, LONG, LONG));
    assertThrows(
        IllegalArgumentException.class, () -> new ConnectionLimits(1, 1, Duration.ZERO, LONG));
  }
}
