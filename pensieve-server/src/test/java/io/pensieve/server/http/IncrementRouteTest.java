package io.pensieve.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Adding to numbers. */
final class IncrementRouteTest {
  private ServerUnderTest server;
  private KvClient kv;

  @BeforeEach
  void start() throws Exception {
    server = ServerUnderTest.start();
    kv = new KvClient(server);
  }

  @AfterEach
  void close() {
    server.close();
  }

  private HttpResponse<String> add(String key, String by) throws Exception {
    return server.post("/v1/incr/" + key, "{\"by\":" + by + "}");
  }

  private static void assertSum(long sum, HttpResponse<String> answer) {
    assertEquals(200, answer.statusCode(), answer.body());
    JsonObject json = JsonParser.parseString(answer.body()).getAsJsonObject();
    assertEquals(sum, json.get("value").getAsLong());
    assertEquals("\"" + json.get("version") + "\"", KvClient.header(answer, "ETag"));
  }

  @Test
  void aMissingKeyCountsAsZero() throws Exception {
    assertSum(5, add("n", "5"));
    assertSum(3, add("n", "-2"));
    assertEquals("3", server.get("n"));
  }

  @Test
  void aTextOfDigitsIsANumberWhateverItsType() throws Exception {
    kv.put("n", "41".getBytes(UTF_8), "Content-Type", "x/y");
    assertSum(42, add("n", "1"));
    assertEquals("text/plain;charset=utf-8", KvClient.header(kv.get("n"), "Content-Type"));
  }

  @Test
  void theEntryGoesOnToExpire() throws Exception {
    kv.put("n?ttl=1h", "1".getBytes(UTF_8));
    assertSum(2, add("n", "1"));
    assertTrue(!KvClient.header(kv.get("n"), "Pensieve-TTL").isEmpty());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "x", "+1", " 1", "01", "1.0", "9223372036854775808", "1e3", "-0"})
  void whatIsNoNumberIsRefused(String value) throws Exception {
    server.map.put("n", value);
    HttpResponse<String> refused = add("n", "1");
    assertEquals(409, refused.statusCode());
    assertEquals("not_an_integer", ServerUnderTest.code(refused.body()));
    assertEquals(value, server.map.get("n"));
  }

  @Test
  void aSumBeyond64BitsIsRefused() throws Exception {
    server.map.put("n", "9223372036854775807");
    assertEquals(409, add("n", "1").statusCode());
    assertSum(9223372036854775806L, add("n", "-1"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"1\"", "1.0", "1e0", "null", "9223372036854775808", "[1]"})
  void whatIsAddedIsAWholeNumber(String by) throws Exception {
    HttpResponse<String> refused = add("n", by);
    assertEquals(422, refused.statusCode());
    assertEquals("invalid_body", ServerUnderTest.code(refused.body()));
    assertTrue(server.map.isEmpty());
  }

  @Test
  void itTakesNoParameters() throws Exception {
    HttpResponse<String> refused = server.post("/v1/incr/n?by=1", "{\"by\":1}");
    assertEquals("invalid_query", ServerUnderTest.code(refused.body()));
  }
}
