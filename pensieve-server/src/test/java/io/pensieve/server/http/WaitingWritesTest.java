package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.LogException;
import io.pensieve.server.http.protocol.ExceptionMapper;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Writes that wait for the disk, and logs that refuse. */
final class WaitingWritesTest {
  // More than the server has threads of any kind.
  private static final int CLIENTS = 200;

  private final ControlledLog log = new ControlledLog();
  private final List<RawClient> clients = new ArrayList<>();
  private ServerUnderTest server;

  @BeforeEach
  void start() throws Exception {
    server = new ServerUnderTest(log, ServerUnderTest.readsMayWait(), Cluster.alone(1));
    for (int i = 0; i < CLIENTS; i++) {
      clients.add(server.connect());
    }
  }

  @AfterEach
  void everyRequestIsAnsweredToItsEnd() throws Exception {
    Await.until("nothing in flight", () -> server.http.requestsInFlight() == 0);
    for (RawClient client : clients) {
      client.close();
    }
    server.close();
  }

  private void allPut() throws Exception {
    for (int i = 0; i < CLIENTS; i++) {
      String body = "{\"key\":\"k" + i + "\",\"val\":\"v\"}";
      clients.get(i).send(putRequest(body));
    }
    Await.until("all puts wait", () -> log.writesWaiting() == CLIENTS);
  }

  private static String putRequest(String body) {
    return "POST /put HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: "
        + body.length()
        + "\r\n\r\n"
        + body;
  }

  @Test
  void writesThatWaitForTheDiskKeepNoThread() throws Exception {
    allPut();
    assertEquals(CLIENTS, server.http.requestsInFlight());
    // Were an I/O thread or a worker parked for each of them, nobody could be answered now.
    assertEquals(404, server.send(server.request("/nowhere")).statusCode());
    assertEquals("", server.get("missing"));
    assertEquals(CLIENTS, log.writesWaiting());

    log.confirm();
    for (RawClient client : clients) {
      assertEquals("{\"status\":\"ok\"}", client.receive().body());
    }
  }

  @Test
  void readsThatWaitForTheDiskKeepNoIoThread() throws Exception {
    int readers = 2 * Runtime.getRuntime().availableProcessors() + 4;
    clients.get(0).send(putRequest("{\"key\":\"k\",\"val\":\"v\"}"));
    Await.until("the put waits", () -> log.writesWaiting() == 1);
    for (int i = 1; i <= readers; i++) {
      clients.get(i).request("GET", "/get/k");
    }
    Await.until("all are in flight", () -> server.http.requestsInFlight() == 1 + readers);
    for (int i = 0; i < readers; i++) {
      assertEquals(404, clients.get(readers + 1 + i).request("GET", "/no").receive().status());
    }
    log.confirm();
    for (int i = 1; i <= readers; i++) {
      assertEquals("{\"val\":\"v\"}", clients.get(i).receive().body());
    }
  }

  @Test
  void aConnectionGoesOnAfterAWriteThatWaited() throws Exception {
    RawClient client = clients.get(0);
    for (int round = 0; round < 3; round++) {
      client.send(putRequest("{\"key\":\"k\",\"val\":\"" + round + "\"}"));
      Await.until("the put waits", () -> log.writesWaiting() == 1);
      log.confirm();
      assertEquals(200, client.receive().status());
      client.request("DELETE", "/delete/k");
      Await.until("the removal waits", () -> log.writesWaiting() == 1);
      log.confirm();
      assertEquals(200, client.receive().status());
    }
  }

  @Test
  void aWriteWithAVersionIsAnsweredWhenItIsConfirmed() throws Exception {
    String put = "PUT /v1/kv/k HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n";
    clients.get(0).send(put + "If-None-Match: *\r\n\r\nx");
    Await.until("the put waits", () -> log.writesWaiting() == 1);
    // What refuses the second one must survive as well, before it may be told.
    clients.get(1).send(put + "If-None-Match: *\r\n\r\ny");
    Await.until("the refusal waits", () -> log.writesWaiting() == 2);
    clients.get(2).send("DELETE /v1/kv/k HTTP/1.1\r\nHost: test\r\nIf-Match: \"7\"\r\n\r\n");
    Await.until("the other refusal waits", () -> log.writesWaiting() == 3);
    clients.get(3).request("GET", "/v1/kv/k");
    Await.until("the read waits", () -> server.http.requestsInFlight() == 4);
    assertEquals(404, clients.get(4).request("GET", "/nowhere").receive().status());

    log.confirm();
    assertEquals(201, clients.get(0).receive().status());
    assertEquals(412, clients.get(1).receive().status());
    assertEquals("\"1\"", clients.get(2).receive().header("etag"));
    assertEquals("x", clients.get(3).receive().body());
  }

  @Test
  void aDiskThatFailsIsToldToEveryoneWhoWaits() throws Exception {
    allPut();
    log.fail(new LogException.Failed("disk on fire, key k1", null));
    for (RawClient client : clients) {
      RawClient.Response answer = client.receive();
      assertEquals(503, answer.status());
      assertEquals("log_failed", ServerUnderTest.code(answer.body()));
    }
  }

  @Test
  void aFullLogRefusesWritesForNow() throws Exception {
    log.refuse(new LogException.Full("no room"));
    HttpResponse<String> answer = server.post("/put", "{\"key\":\"k\",\"val\":\"v\"}");
    assertEquals(503, answer.statusCode());
    assertEquals("log_full", ServerUnderTest.code(answer.body()));
    assertEquals("1", answer.headers().firstValue("Retry-After").orElse(""));
    assertNull(server.map.get("k"));
    assertEquals("", server.get("k"));
  }

  @Test
  void anUnexpectedFailureIsAnInternalErrorThatQuotesNothing() throws Exception {
    log.refuse(new IllegalStateException("secret"));
    Logger logger = Logger.getLogger(ExceptionMapper.class.getName());
    Logged logged = new Logged();
    logger.addHandler(logged);
    try {
      HttpResponse<String> answer = server.post("/put", "{\"key\":\"secret\",\"val\":\"v\"}");
      assertEquals(500, answer.statusCode());
      assertEquals("internal_error", ServerUnderTest.code(answer.body()));
      assertEquals(-1, answer.body().indexOf("secret"));
    } finally {
      logger.removeHandler(logged);
    }
    assertTrue(logged.text.toString().contains("java.lang.IllegalStateException"));
    assertEquals(-1, logged.text.toString().indexOf("secret"), logged.text::toString);
  }

  /** Keeps what is logged, as it would be printed. */
  private static final class Logged extends Handler {
    final Queue<String> text = new ConcurrentLinkedQueue<>();

    @Override
    public void publish(LogRecord told) {
      text.add(new SimpleFormatter().format(told));
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
