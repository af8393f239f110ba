package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is told to whoever watches over a server. */
final class HealthTest {
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
      closing.get(20, TimeUnit.SECONDS);
      closer.shutdown();
    }
  }
}
