package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class ConnectionsTest {
  private final ControlledLog log = new ControlledLog();
  private ServerUnderTest server;
  private RawClient client;

  @BeforeEach
  void start() throws Exception {
    server = new ServerUnderTest(log, ServerUnderTest.readsMayWait(), Cluster.alone(1));
    client = server.connect();
  }

  @AfterEach
  void close() throws Exception {
    client.close();
    server.close();
  }

  @Test
  void aConnectionIsKept() throws Exception {
    for (int i = 0; i < 100; i++) {
      assertEquals(200, client.request("GET", "/get/foo").receive().status());
    }
  }

  @Test
  void howLongAConnectionIsKeptIsTold() throws Exception {
    assertEquals("timeout=75", client.request("GET", "/livez").receive().header("keep-alive"));
    client.send("GET /livez HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    assertEquals("", client.receive().header("keep-alive"));
  }

  @Test
  void aConnectionIsKeptAfterARefusal() throws Exception {
    client.send(
        "POST /put HTTP/1.1\r\nHost: test\r\nContent-Type: text/plain\r\n"
            + "Content-Length: 5\r\n\r\nabcde");
    assertEquals(415, client.receive().status());
    assertEquals(200, client.request("GET", "/get/foo").receive().status());
  }

  @Test
  void closeIsHeeded() throws Exception {
    client.send("GET /get/foo HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    assertEquals("close", client.receive().header("connection"));
    client.awaitClosed();
  }

  @Test
  void pipelinedRequestsAreAnsweredInOrder() throws Exception {
    StringBuilder requests = new StringBuilder();
    for (int i = 0; i < 100; i++) {
      requests.append("GET /get/missing HTTP/1.1\r\nHost: test\r\n\r\n");
      requests.append("GET /nowhere HTTP/1.1\r\nHost: test\r\n\r\n");
      requests.append(
          "POST /internal/heartbeat HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n");
      requests.append("Content-Length: 13\r\n\r\n{\"node_id\":2}");
    }
    client.send(requests.toString());
    for (int i = 0; i < 100; i++) {
      assertEquals(200, client.receive().status());
      assertEquals(404, client.receive().status());
      assertEquals("{\"status\":\"ok\",\"node_id\":2}", client.receive().body());
    }
  }

  @Test
  void closingWaitsForWhatIsInFlightAndTellsItsConnectionToClose() throws Exception {
    String body = "{\"key\":\"foo\",\"val\":\"bar\"}";
    client.send(
        "POST /put HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: "
            + body.length()
            + "\r\n\r\n"
            + body);
    Await.until("the put waits", () -> log.writesWaiting() == 1);
    RawClient idle = server.connect();
    assertEquals(404, idle.request("GET", "/nowhere").receive().status());

    CompletableFuture<Void> closing = CompletableFuture.runAsync(server.http::close);
    Await.until("no connection is accepted", this::refusesConnections);
    RawClient.Response late = idle.request("GET", "/get/missing").receive();
    assertEquals(200, late.status());
    assertEquals("close", late.header("connection"));

    log.confirm();
    assertEquals("{\"status\":\"ok\"}", client.receive().body());
    closing.join();
    client.awaitClosed();
    idle.close();
  }

  private boolean refusesConnections() {
    try {
      server.connect().close();
      return false;
    } catch (IOException refused) {
      return true;
    }
  }

  @Test
  void closingTwiceIsClosingOnce() {
    server.http.close();
    server.http.close();
    assertThrows(IOException.class, server::connect);
  }

  @Test
  void closingClosesIdleConnections() throws Exception {
    assertEquals(200, client.request("GET", "/get/foo").receive().status());
    server.http.close();
    client.awaitClosed();
  }
}
