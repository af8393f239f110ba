package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.pensieve.server.http.metrics.DurationMetric;
import io.pensieve.server.http.replication.PastRequest;
import io.pensieve.server.http.value.StoredValue;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Writes with an Idempotency-Key: which is executed, and what a repeated one is answered. */
final class IdempotentWritesTest {
  private static final String BATCH =
      "{\"atomic\":true,\"ops\":[{\"op\":\"put\",\"key\":\"k\",\"value\":\"v\"}]}";

  private static final String LONG =
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

  private final FakeReplication replication = new FakeReplication();
  private ServerUnderTest server;

  @BeforeEach
  void start() throws Exception {
    replication.leading = true;
    server =
        ServerUnderTest.replicated(
            1,
            ServerUnderTest.settings(),
            new HttpServer.Replicated(
                replication,
                () -> {
                  throw new AssertionError("no TLS");
                },
                new DurationMetric("pensieve_replication_commit_seconds", "Test.")));
  }

  @AfterEach
  void close() {
    server.close();
  }

  private HttpResponse<String> send(
      ServerUnderTest to, String method, String path, String body, String key) throws Exception {
    return to.send(
        to.request(path)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", key)
            .method(method, BodyPublishers.ofString(body)));
  }

  @Test
  void aRepeatedWriteIsAnsweredByWhatItHasChanged() throws Exception {
    assertEquals(201, send(server, "PUT", "/v1/kv/k", "one", "a").statusCode());
    replication.past = Optional.of(new PastRequest(4711, true, Optional.empty()));
    HttpResponse<String> again = send(server, "PUT", "/v1/kv/k", "two", "a");
    assertEquals(201, again.statusCode());
    assertEquals("\"4711\"", again.headers().firstValue("ETag").orElse(""));
    assertEquals("one", server.map.get("k"));
    // Another key, or another path: another request.
    assertEquals(204, send(server, "PUT", "/v1/kv/k", "three", "b").statusCode());
    assertEquals(201, send(server, "PUT", "/v1/kv/other", "one", "a").statusCode());

    assertEquals(204, send(server, "DELETE", "/v1/kv/k", "", "c").statusCode());
    server.map.put("k", "again");
    assertEquals(204, send(server, "DELETE", "/v1/kv/k", "", "c").statusCode());
    assertEquals("again", server.map.get("k"));
  }

  @Test
  void sumsBatchesAndTextsAreRepeated() throws Exception {
    assertEquals(200, send(server, "POST", "/v1/incr/n", "{\"by\":5}", "a").statusCode());
    replication.past = Optional.of(new PastRequest(12, true, Optional.of(StoredValue.text("5"))));
    assertEquals(
        "{\"value\":5,\"version\":12}",
        send(server, "POST", "/v1/incr/n", "{\"by\":5}", "a").body());
    assertEquals("5", server.map.get("n"));
    assertEquals(200, send(server, "POST", "/v1/batch", BATCH, "b").statusCode());
    assertEquals(
        "{\"repeated\":true,\"version\":12}", send(server, "POST", "/v1/batch", BATCH, "b").body());
    String text = "{\"key\":\"t\",\"val\":\"x\"}";
    assertEquals("{\"status\":\"ok\"}", send(server, "POST", "/put", text, "d").body());
    server.delete("t");
    assertEquals("{\"status\":\"ok\"}", send(server, "POST", "/put", text, "d").body());
    assertNull(server.map.get("t"));
  }

  @Test
  void aRequestThatIsBeingExecutedIsRefused() throws Exception {
    assertEquals(201, send(server, "PUT", "/v1/kv/k", "one", "a").statusCode());
    HttpResponse<String> again = send(server, "PUT", "/v1/kv/k", "one", "a");
    assertEquals("overloaded", ServerUnderTest.code(again.body()));
    assertEquals("1", again.headers().firstValue("Retry-After").orElse(""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "with space", LONG})
  void otherKeysAreRefused(String key) throws Exception {
    HttpResponse<String> refused = send(server, "PUT", "/v1/kv/k", "one", key);
    assertEquals(400, refused.statusCode());
    assertEquals("malformed_idempotency_key", ServerUnderTest.code(refused.body()));
    assertNull(server.map.get("k"));
  }

  @Test
  void whereItCannotBePromisedAKeyIsRefused() throws Exception {
    HttpResponse<String> each =
        send(server, "POST", "/v1/batch", BATCH.replace("true", "false"), "a");
    assertEquals("idempotency_not_promised", ServerUnderTest.code(each.body()));
    assertNull(server.map.get("k"));
    try (ServerUnderTest alone = ServerUnderTest.start()) {
      HttpResponse<String> refused = send(alone, "PUT", "/v1/kv/k", "one", "a");
      assertEquals(422, refused.statusCode());
      assertEquals("idempotency_not_promised", ServerUnderTest.code(refused.body()));
      assertNull(alone.map.get("k"));
    }
  }
}
