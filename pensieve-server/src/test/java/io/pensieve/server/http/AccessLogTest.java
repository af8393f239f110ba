package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Log;
import io.pensieve.server.http.metrics.AccessLog;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each answer is told to the access log, and nothing of what its client made up. */
final class AccessLogTest {
  private final BlockingQueue<AccessLog.CompletedRequest> answers = new LinkedBlockingQueue<>();
  private ServerUnderTest server;

  @BeforeEach
  void start() throws Exception {
    server =
        new ServerUnderTest(Log.none(), ServerUnderTest.telling(answers::add), Cluster.alone(1));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void anAnswerIsToldWithItsRouteAndItsLength() throws Exception {
    server.map.put("sesame", "bar");
    server.send(server.request("/get/sesame"));
    AccessLog.CompletedRequest told = next();
    assertEquals(
        List.of("GET", "/get/{key}", 200, (long) "{\"val\":\"bar\"}".length()),
        List.of(told.method(), told.route(), told.status(), told.bytes()));
    assertTrue(told.nanos() > 0);
    assertTrue(told.remote().getAddress().isLoopbackAddress());
  }

  @Test
  void whatTheClientMadeUpIsNotTold() throws Exception {
    server.send(server.request("/sesame?open=sesame").header("X-Sesame", "sesame"));
    server.send(server.request("/v1/kv/sesame?ttl=sesame").PUT(BodyPublishers.ofString("sesame")));
    server.send(server.request("/get/sesame").method("SESAME", BodyPublishers.noBody()));
    for (int status : new int[] {404, 400, 405}) {
      AccessLog.CompletedRequest told = next();
      assertEquals(status, told.status());
      assertFalse(
          told.toString().toLowerCase(java.util.Locale.ROOT).contains("sesame"), told::toString);
    }
  }

  @Test
  void anUploadThatBreaksOffIsNotToldAsDone() throws Exception {
    try (RawClient client = server.connect()) {
      client.send("PUT /v1/kv/a HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nhalf");
      Await.until("the upload has begun", () -> server.http.requestsInFlight() == 1);
    }
    AccessLog.CompletedRequest told = next();
    assertEquals(List.of("PUT", "/v1/kv/{key}"), List.of(told.method(), told.route()));
    assertEquals(499, told.status());
    String metrics = server.send(server.request("/metrics")).body();
    assertTrue(metrics.contains("route=\"/v1/kv/{key}\",status=\"499\""), metrics);
    assertFalse(metrics.contains("route=\"/v1/kv/{key}\",status=\"200\""), metrics);
  }

  private AccessLog.CompletedRequest next() throws InterruptedException {
    AccessLog.CompletedRequest told = answers.poll(2, TimeUnit.MINUTES);
    assertTrue(told != null, "an answer is told");
    return told;
  }
}
