package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.LogException;
import io.pensieve.server.http.value.StoredValue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A disk that fails when it should confirm: what was answered before that was answered too early.
 * Quotes are written as ' in these tests.
 */
final class UnconfirmedForceTest {
  private final ControlledLog log = new ControlledLog();
  private ServerUnderTest server;
  private RawClient client;

  @BeforeEach
  void start() throws Exception {
    server = new ServerUnderTest(log, ServerUnderTest.readsMayWait(), Cluster.alone(1));
    client = server.connect();
    server.entries.putAsync("k", StoredValue.text("1"));
    log.confirm();
  }

  @AfterEach
  void close() throws Exception {
    client.close();
    server.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "POST /put {'key':'k','val':'2'}",
        "DELETE /delete/k",
        "PUT /v1/kv/k 2",
        "DELETE /v1/kv/k",
        "POST /v1/incr/k {'by':1}",
        "POST /v1/batch {'atomic':true,'ops':[{'op':'put','key':'k','value':'2'}]}",
        "POST /v1/batch {'atomic':false,'ops':[{'op':'put','key':'k','value':'2'}]}",
        "POST /v1/batch {'atomic':false,'ops':[{'op':'incr','key':'k','by':1}]}",
        "POST /v1/batch {'atomic':false,'ops':[{'op':'delete','key':'k'}]}"
      })
  void aWriteIsNotAnsweredBeforeTheDiskHasConfirmedIt(String request) throws Exception {
    send(request);
    Await.until("the write waits", () -> log.writesWaiting() > 0);
    assertToldOfTheFailure();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET /get/k",
        "GET /v1/kv/k",
        "PUT /v1/kv/k 3 If-None-Match: *",
        "GET /v1/kv/k  If-None-Match: *",
        "POST /v1/batch {'atomic':true,'ops':[{'op':'get','key':'k'}]}"
      })
  void whatTheDiskHasNotConfirmedIsToldToNobody(String request) throws Exception {
    server.entries.putAsync("k", StoredValue.text("2"));
    int writes = log.writesWaiting();
    send(request);
    Await.until("the read waits", () -> log.writesWaiting() > writes);
    assertToldOfTheFailure();
  }

  private void assertToldOfTheFailure() throws Exception {
    log.fail(new LogException.Failed("disk on fire", null));
    RawClient.Response answer = client.receive();
    assertTrue(answer.body().contains("log_failed"), answer::toString);
    // Of several operations each has an answer of its own.
    assertEquals(answer.body().startsWith("{\"results\"") ? 200 : 503, answer.status());
  }

  private void send(String request) throws Exception {
    String[] parts = request.replace('\'', '"').split(" ", 4);
    String body = parts.length > 2 ? parts[2] : "";
    String header = parts.length > 3 ? parts[3] + "\r\n" : "";
    client.send(
        (parts[0] + " " + parts[1] + " HTTP/1.1\r\nHost: test\r\n" + header)
            + "Content-Type: application/json\r\n"
            + ("Content-Length: " + body.length() + "\r\n\r\n" + body));
  }
}
