package io.pensieve.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.access.AllowedHosts;
import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.access.Tokens;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How long entries live: extended without their value, kept by a put, given by an increment. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class TouchRoutesTest {
  private static final byte[] VALUE = "1".getBytes(UTF_8);

  private ServerUnderTest server;
  private KvClient kv;

  @BeforeAll
  void start() throws Exception {
    server = ServerUnderTest.start();
    kv = new KvClient(server);
  }

  @AfterAll
  void close() {
    server.close();
  }

  @BeforeEach
  void clear() {
    server.entries.clear();
  }

  private HttpResponse<byte[]> touch(String target, String... headers) throws Exception {
    HttpRequest.Builder request =
        server.request("/v1/touch/" + target).POST(BodyPublishers.noBody());
    return server.sendForBytes(headers.length == 0 ? request : request.headers(headers));
  }

  private Duration ttl(String key) throws Exception {
    String text = KvClient.header(kv.get(key), "Pensieve-TTL");
    return text.isEmpty()
        ? Duration.ZERO
        : Duration.ofMillis(Long.parseLong(text.substring(0, text.length() - "ms".length())));
  }

  private void assertHours(int hours, String key) throws Exception {
    Duration left = ttl(key);
    assertTrue(left.compareTo(Duration.ofHours(hours)) <= 0, left.toString());
    assertTrue(left.compareTo(Duration.ofHours(hours).minusMinutes(30)) > 0, left.toString());
  }

  @Test
  void anEntryLivesLongerWithoutItsValueBeingSent() throws Exception {
    kv.put("a?ttl=1h", VALUE, "Content-Type", "x/y");
    HttpResponse<byte[]> touched = touch("a?ttl=9h");
    assertEquals(204, touched.statusCode());
    assertHours(9, "a");
    HttpResponse<byte[]> entry = kv.get("a");
    assertEquals("1", new String(entry.body(), UTF_8));
    assertEquals("x/y", KvClient.header(entry, "Content-Type"));
    assertEquals(KvClient.header(touched, "ETag"), KvClient.header(entry, "ETag"));
    assertEquals(204, touch("a?ttl=never").statusCode());
    assertEquals(Duration.ZERO, ttl("a"));
  }

  @Test
  void aMissingEntryIsNotMade() throws Exception {
    KvClient.assertProblem(404, "no_such_key", touch("a?ttl=9h"));
    KvClient.assertProblem(404, "no_such_key", touch("a?ttl=9h", "If-Match", "\"1\""));
    KvClient.assertProblem(404, "no_such_key", kv.get("a?touch=9h"));
    assertTrue(server.entries.isEmpty());
  }

  @Test
  void aConditionHoldsForTheVersion() throws Exception {
    String tag = KvClient.header(kv.put("a?ttl=1h", VALUE), "ETag");
    HttpResponse<byte[]> refused = touch("a?ttl=9h", "If-Match", "\"1\"");
    KvClient.assertProblem(412, "precondition_failed", refused);
    assertEquals(tag, KvClient.header(refused, "ETag"));
    assertHours(1, "a");
    assertEquals(204, touch("a?ttl=9h", "If-Match", tag).statusCode());
    assertHours(9, "a");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "?ttl=", "?ttl=0s", "?ttl=-1s", "?ttl=keep", "?ttl=1h&ttl=1h"})
  void aTouchSaysHowLong(String query) throws Exception {
    kv.put("a?ttl=1h", VALUE);
    KvClient.assertProblem(400, "invalid_query", touch("a" + query));
    assertHours(1, "a");
  }

  @Test
  void aReadTouchesIfAskedTo() throws Exception {
    String tag = KvClient.header(kv.put("a?ttl=1h", VALUE), "ETag");
    HttpResponse<byte[]> entry = kv.get("a?touch=9h");
    assertEquals("1", new String(entry.body(), UTF_8));
    assertNotEquals(tag, KvClient.header(entry, "ETag"));
    assertEquals("32400000ms".length(), KvClient.header(entry, "Pensieve-TTL").length());
    assertEquals(KvClient.header(entry, "ETag"), KvClient.header(kv.get("a"), "ETag"));
    assertHours(9, "a");
    assertEquals(200, kv.get("a?%74ouch=7h").statusCode());
    assertHours(7, "a");
    String json = new String(kv.get("a?as=json&touch=never").body(), UTF_8);
    assertTrue(json.startsWith("{\"key\":\"a\",\"value\":\"1\""), json);
    assertEquals(Duration.ZERO, ttl("a"));
  }

  @Test
  void aTouchingReadTakesNoConditionAndWaitsForNothing() throws Exception {
    kv.put("a?ttl=1h", VALUE);
    KvClient.assertProblem(400, "invalid_query", kv.get("a?touch=9h", "If-None-Match", "\"1\""));
    KvClient.assertProblem(400, "invalid_query", kv.get("a?wait=1s&touch=9h"));
    KvClient.assertProblem(400, "invalid_query", kv.get("a?wait=1s&%74ouch=9h"));
    assertHours(1, "a");
  }

  @Test
  void whoMayOnlyReadMayNotTouch() throws Exception {
    Authorizer tokens =
        Authorizer.withTokens(Tokens.parse("read the-token-to-read\nwrite the-token-to-write"));
    try (ServerUnderTest guarded =
        new ServerUnderTest(
            io.pensieve.log.Log.none(), ServerUnderTest.openTo(tokens), Cluster.alone(1))) {
      guarded.map.put("a", "1");
      KvClient client = new KvClient(guarded);
      String[] read = {"Authorization", "Bearer the-token-to-read"};
      assertEquals(200, client.get("a", read).statusCode());
      KvClient.assertProblem(403, "forbidden", client.get("a?touch=1ms", read));
      KvClient.assertProblem(403, "forbidden", client.get("a?as=json&touch=1ms", read));
      String[] write = {"Authorization", "Bearer the-token-to-write"};
      assertEquals(200, client.get("a?touch=1h", write).statusCode());
    }
  }

  @Test
  void aPageOfAnotherServerCannotTouch() throws Exception {
    Authorizer local = Authorizer.open(AllowedHosts.named(Set.of()));
    try (ServerUnderTest open =
        new ServerUnderTest(
            io.pensieve.log.Log.none(), ServerUnderTest.openTo(local), Cluster.alone(1))) {
      open.map.put("a", "1");
      KvClient client = new KvClient(open);
      for (String site : new String[] {"cross-site", "same-site"}) {
        KvClient.assertProblem(
            403, "foreign_origin", client.get("a?touch=1ms", "Sec-Fetch-Site", site));
      }
      assertEquals(200, client.get("a", "Sec-Fetch-Site", "cross-site").statusCode());
      assertEquals(200, client.get("a?touch=1h", "Sec-Fetch-Site", "none").statusCode());
      assertEquals(200, client.get("a?touch=1h", "Sec-Fetch-Site", "same-origin").statusCode());
    }
  }

  @Test
  void aPutKeepsTheExpiryIfAskedTo() throws Exception {
    kv.put("a?ttl=1h", VALUE);
    assertEquals(204, kv.put("a?ttl=keep", VALUE).statusCode());
    assertHours(1, "a");
    assertEquals(204, kv.put("a?ttl=keep&initial_ttl=9h", VALUE).statusCode());
    assertHours(1, "a");
    assertEquals(204, kv.put("a?ttl=keep", VALUE, "If-Match", "*").statusCode());
    assertHours(1, "a");
    assertEquals(204, kv.put("a?ttl=never", VALUE).statusCode());
    assertEquals(Duration.ZERO, ttl("a"));
    assertEquals(201, kv.put("b?ttl=keep&initial_ttl=9h", VALUE).statusCode());
    assertHours(9, "b");
    assertEquals(201, kv.put("c?ttl=keep", VALUE).statusCode());
    assertEquals(Duration.ZERO, ttl("c"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"?initial_ttl=1h", "?ttl=1h&initial_ttl=1h", "?ttl=keep&initial_ttl=never"})
  void anInitialLifeGoesWithKeepingOne(String query) throws Exception {
    KvClient.assertProblem(400, "invalid_query", kv.put("a" + query, VALUE));
    HttpResponse<String> refused = server.post("/v1/incr/a" + query, "{\"by\":1}");
    assertEquals("invalid_query", ServerUnderTest.code(refused.body()));
    assertNull(server.entries.get("a"));
  }

  @Test
  void anIncrementHasALifeByChoice() throws Exception {
    server.post("/v1/incr/n?ttl=keep&initial_ttl=1h", "{\"by\":1}");
    assertHours(1, "n");
    server.post("/v1/incr/n?ttl=keep&initial_ttl=9h", "{\"by\":1}");
    assertHours(1, "n");
    server.post("/v1/incr/n?ttl=9h", "{\"by\":1}");
    assertHours(9, "n");
    server.post("/v1/incr/n", "{\"by\":1}");
    assertHours(9, "n");
    server.post("/v1/incr/n?ttl=never", "{\"by\":1}");
    assertEquals(Duration.ZERO, ttl("n"));
    assertEquals("5", server.get("n"));
  }
}
