package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.value.StoredValue;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is told to whoever watches over a server. */
final class HealthRoutesTest {
  private final ControlledLog log = new ControlledLog();
  private ServerUnderTest server;

  @BeforeEach
  void start() throws Exception {
    server = new ServerUnderTest(log, ServerUnderTest.readsMayWait(), Cluster.alone(1));
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void aServerThatWorksIsLiveAndReady() throws Exception {
    assertEquals("{\"status\":\"ok\"}", server.send(server.request("/livez")).body());
    assertEquals("{\"status\":\"ok\"}", server.send(server.request("/readyz")).body());
  }

  @Test
  void aServerWhoseLogHasFailedIsLiveAndNotReady() throws Exception {
    log.failWith("the disk is gone");
    assertEquals(200, server.send(server.request("/livez")).statusCode());
    var answer = server.send(server.request("/readyz"));
    assertEquals(503, answer.statusCode());
    assertEquals("log_failed", ServerUnderTest.code(answer.body()));
  }

  @Test
  void aServerWhoseDiskIsFullIsNotReadyUntilThereIsRoom() throws Exception {
    log.fillUp(Optional.of("/secret/folder: free space is below the reserve"));
    assertEquals(200, server.send(server.request("/livez")).statusCode());
    var answer = server.send(server.request("/readyz"));
    assertEquals(503, answer.statusCode());
    assertEquals("log_full", ServerUnderTest.code(answer.body()));
    assertTrue(answer.body().contains("7 bytes are free"), answer.body());
    assertFalse(answer.body().contains("secret"), answer.body());
    log.fillUp(Optional.empty());
    assertEquals(200, server.send(server.request("/readyz")).statusCode());
  }

  @Test
  void answersWithoutABodyTellAClientToCloseWhileTheServerDrains() throws Exception {
    var unused = server.entries.putAsync("k", StoredValue.text("v"));
    log.confirm();
    try (RawClient client = server.connect();
        RawClient writer = server.connect();
        RawClient early = server.connect()) {
      client.request("GET", "/livez").receive();
      String put = "PUT /v1/kv/a HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nx";
      writer.send(put);
      early.send("DELETE /v1/kv/k HTTP/1.1\r\nHost: test\r\n\r\n");
      Await.until("both wait", () -> log.writesWaiting() == 2);
      ExecutorService closer = Executors.newSingleThreadExecutor();
      Future<?> closing = closer.submit(server.http::close);
      Await.until("it drains", () -> server.http.isDraining());
      client.send("OPTIONS /v1/kv/a HTTP/1.1\r\nHost: test\r\n\r\n");
      RawClient.Response options = client.receive();
      assertEquals("204 close", options.status() + " " + options.header("connection"));
      client.awaitClosed();
      log.confirm();
      // Those that were under way before, too.
      for (RawClient begun : new RawClient[] {writer, early}) {
        RawClient.Response answer = begun.receive();
        assertEquals(begun == writer ? 201 : 204, answer.status());
        assertEquals("close", answer.header("connection"));
        begun.awaitClosed();
      }
      closing.get(2, TimeUnit.MINUTES);
      closer.shutdown();
    }
  }

  @Test
  void aServerThatDrainsIsLiveAndNotReady() throws Exception {
    try (RawClient writer = server.connect();
        RawClient live = server.connect();
        RawClient ready = server.connect()) {
      String body = "{\"key\":\"foo\",\"val\":\"bar\"}";
      writer.send(
          "POST /put HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: "
              + (body.length() + "\r\n\r\n" + body));
      Await.until("the put waits", () -> log.writesWaiting() == 1);
      live.request("GET", "/livez").receive();
      ready.request("GET", "/livez").receive();

      ExecutorService closer = Executors.newSingleThreadExecutor();
      Future<?> closing = closer.submit(server.http::close);
      Await.until("it drains", () -> server.http.isDraining());
      assertEquals(200, live.request("GET", "/livez").receive().status());
      RawClient.Response answer = ready.request("GET", "/readyz").receive();
      assertEquals(503, answer.status());
      assertEquals("not_ready", ServerUnderTest.code(answer.body()));
      assertEquals("close", answer.header("connection"));

      log.confirm();
      assertEquals(200, writer.receive().status());
      closing.get(2, TimeUnit.MINUTES);
      closer.shutdown();
    }
  }
}
