package io.pensieve.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.log.Log;
import io.pensieve.server.http.protocol.SizeLimits;
import java.net.http.HttpResponse;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several operations with one request. Quotes are written as ' in these tests. */
final class BatchRouteTest {
  private ServerUnderTest server;
  private KvClient kv;

  @BeforeEach
  void start() throws Exception {
    server = ServerUnderTest.start();
    kv = new KvClient(server);
  }

  @AfterEach
  void everyRequestIsAnsweredToItsEnd() throws Exception {
    Await.until("nothing in flight", () -> server.http.requestsInFlight() == 0);
    server.close();
  }

  private HttpResponse<String> batch(boolean atomic, String operations) throws Exception {
    return post("{'atomic':" + atomic + ",'ops':[" + operations + "]}");
  }

  private HttpResponse<String> post(String json) throws Exception {
    return server.post("/v1/batch", json.replace('\'', '"'));
  }

  private JsonArray results(boolean atomic, String operations) throws Exception {
    HttpResponse<String> answer = batch(atomic, operations);
    assertEquals(200, answer.statusCode(), answer.body());
    return JsonParser.parseString(answer.body()).getAsJsonObject().getAsJsonArray("results");
  }

  private static int status(JsonArray results, int index) {
    return results.get(index).getAsJsonObject().get("status").getAsInt();
  }

  private long version(String key) throws Exception {
    String tag = KvClient.header(kv.get(key), "ETag");
    return Long.parseLong(tag.replace("\"", ""));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void eachOperationSeesThoseBeforeIt(boolean atomic) throws Exception {
    server.map.put("old", "x");
    JsonArray results =
        results(
            atomic,
            "{'op':'put','key':'a','value':'1'},{'op':'incr','key':'a','by':41},"
                + "{'op':'get','key':'a'},{'op':'delete','key':'old'},{'op':'get','key':'old'},"
                + "{'op':'check','key':'old','version':0},{'op':'put','key':'a','value':'z'}");
    assertEquals(201, status(results, 0));
    assertEquals(42, results.get(1).getAsJsonObject().get("value").getAsLong());
    assertEquals("42", results.get(2).getAsJsonObject().get("value").getAsString());
    assertEquals(204, status(results, 3));
    assertEquals(404, status(results, 4));
    assertEquals(200, status(results, 5));
    assertEquals(204, status(results, 6));
    assertEquals(version("a"), results.get(6).getAsJsonObject().get("version").getAsLong());
    assertEquals(Map.of("a", "z"), Map.copyOf(server.map));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aPutSaysTypeBytesAndLife(boolean atomic) throws Exception {
    JsonArray results =
        results(
            atomic,
            "{'op':'put','key':'a','value_base64':'wyj/','content_type':'x/y','ttl':'1h'},"
                + "{'op':'put','key':'b','value':'v','content_type':'x/z'},"
                + "{'op':'put','key':'c','value_base64':''},{'op':'get','key':'a'}");
    JsonObject read = results.get(3).getAsJsonObject();
    assertEquals("wyj/", read.get("value_base64").getAsString());
    assertEquals("x/y", read.get("content_type").getAsString());
    assertTrue(read.get("ttl_ms").getAsLong() > 3_500_000);
    assertArrayEquals(new byte[] {(byte) 0xC3, 0x28, (byte) 0xFF}, kv.get("a").body());
    assertEquals("x/z", KvClient.header(kv.get("b"), "Content-Type"));
    assertArrayEquals("v".getBytes(UTF_8), kv.get("b").body());
    assertEquals("application/octet-stream", KvClient.header(kv.get("c"), "Content-Type"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aBatchExtendsAndKeepsLives(boolean atomic) throws Exception {
    results(
        false,
        "{'op':'put','key':'a','value':'old','ttl':'1h'},"
            + "{'op':'put','key':'n','value':'1','ttl':'1h'}");
    JsonArray results =
        results(
            atomic,
            "{'op':'touch','key':'a','ttl':'5h'},{'op':'touch','key':'none','ttl':'5h'},"
                + "{'op':'put','key':'a','value':'new','ttl':'keep'},"
                + "{'op':'put','key':'b','value':'new','ttl':'keep','initial_ttl':'3h'},"
                + "{'op':'incr','key':'n','by':1,'ttl':'never'},{'op':'get','key':'a'}");
    assertEquals(204, status(results, 0));
    assertEquals(404, status(results, 1));
    assertFalse(results.get(1).getAsJsonObject().has("version"));
    assertTrue(results.get(5).getAsJsonObject().get("ttl_ms").getAsLong() > 4 * 3_600_000L);
    assertEquals(version("a"), results.get(2).getAsJsonObject().get("version").getAsLong());
    String ttl = KvClient.header(kv.get("b"), "Pensieve-TTL");
    assertTrue(Long.parseLong(ttl.replace("ms", "")) > 2 * 3_600_000L, ttl);
    assertTrue(kv.get("n").headers().firstValue("Pensieve-TTL").isEmpty());
    assertEquals(Map.of("a", "new", "b", "new", "n", "2"), Map.copyOf(server.map));
  }

  @Test
  void anAtomicBatchWhoseCheckFailsChangesNothing() throws Exception {
    server.map.put("a", "old");
    long version = version("a");
    HttpResponse<String> refused =
        batch(
            true,
            "{'op':'put','key':'a','value':'new'},{'op':'put','key':'b','value':'new'},"
                + "{'op':'check','key':'c','version':7}");
    assertEquals(412, refused.statusCode());
    JsonObject problem = JsonParser.parseString(refused.body()).getAsJsonObject();
    assertEquals("precondition_failed", problem.get("code").getAsString());
    assertEquals(2, problem.get("op").getAsInt());
    assertEquals(0, problem.get("version").getAsLong());
    assertEquals(Map.of("a", "old"), Map.copyOf(server.map));
    assertEquals(version, version("a"));
  }

  @Test
  void anAtomicBatchTellsTheVersionThatIsThere() throws Exception {
    server.map.put("a", "old");
    for (String required : new String[] {"0", "77777"}) {
      HttpResponse<String> refused =
          batch(
              true,
              "{'op':'check','key':'a','version':" + required + "},{'op':'delete','key':'a'}");
      JsonObject problem = JsonParser.parseString(refused.body()).getAsJsonObject();
      assertEquals(0, problem.get("op").getAsInt());
      assertEquals(version("a"), problem.get("version").getAsLong());
    }
    results(true, "{'op':'check','key':'a','version':" + version("a") + "}");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noEntryHasTheVersionZero(boolean atomic) throws Exception {
    JsonArray results =
        results(
            atomic,
            "{'op':'put','key':'a','value':'1'},{'op':'incr','key':'a','by':1},"
                + "{'op':'get','key':'a'},{'op':'delete','key':'a'},"
                + "{'op':'check','key':'a','version':0}");
    assertEquals("2", results.get(2).getAsJsonObject().get("value").getAsString());
    for (int i = 0; i < results.size(); i++) {
      JsonObject result = results.get(i).getAsJsonObject();
      assertTrue(!result.has("version") || result.get("version").getAsLong() > 0, "" + result);
      assertEquals(!atomic && i < 3, result.has("version"), "" + result);
    }
  }

  @Test
  void anAtomicBatchThatAddsToNoNumberChangesNothing() throws Exception {
    server.map.put("a", "x");
    HttpResponse<String> refused =
        batch(true, "{'op':'put','key':'b','value':'1'},{'op':'incr','key':'a','by':1}");
    assertEquals(409, refused.statusCode());
    assertEquals("not_an_integer", ServerUnderTest.code(refused.body()));
    assertNull(server.map.get("b"));
  }

  @Test
  void otherwiseEachOperationIsDoneByItself() throws Exception {
    server.map.put("a", "x");
    JsonArray results =
        results(
            false,
            "{'op':'incr','key':'a','by':1},{'op':'check','key':'a','version':7},"
                + "{'op':'put','key':'b','value':'1'}");
    assertEquals(409, status(results, 0));
    assertEquals("not_an_integer", results.get(0).getAsJsonObject().get("code").getAsString());
    assertEquals(412, status(results, 1));
    assertEquals(version("a"), results.get(1).getAsJsonObject().get("version").getAsLong());
    assertEquals(201, status(results, 2));
    assertEquals("1", server.get("b"));
  }

  @Test
  void noAtomicBatchSeesHalfOfAnother() throws Exception {
    String seeAll =
        IntStream.range(0, 20)
            .mapToObj(i -> "{'op':'get','key':'k" + i + "'}")
            .collect(Collectors.joining(","));
    AtomicBoolean seenEnough = new AtomicBoolean();
    ExecutorService writer = Executors.newSingleThreadExecutor();
    Future<?> writing =
        writer.submit(
            () -> {
              for (int number = 0; !seenEnough.get(); number++) {
                String value = "','value':'" + number + "'}";
                results(true, seeAll.replace("get", "put").replace("'}", value));
              }
              return null;
            });
    try {
      for (int i = 0; i < 300 && !writing.isDone(); i++) {
        Set<String> seen = new HashSet<>();
        results(true, seeAll).forEach(each -> seen.add(value(each.getAsJsonObject())));
        assertEquals(1, seen.size(), seen::toString);
      }
    } finally {
      seenEnough.set(true);
      writer.shutdown();
    }
    writing.get();
  }

  private static String value(JsonObject result) {
    return result.has("value") ? result.get("value").getAsString() : "none";
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aBatchMayBeEmpty(boolean atomic) throws Exception {
    assertEquals(0, results(atomic, "").size());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{'atomic':true} | invalid_body",
        "{'ops':[]} | invalid_body",
        "{'atomic':'true','ops':[]} | invalid_body",
        "{'atomic':true,'ops':{}} | invalid_body",
        "{'atomic':true,'ops':[],'x':1} | invalid_body",
        "{'atomic':true,'ops':[],'ops':[]} | invalid_body",
        "[] | invalid_body",
        "{'atomic':true,'ops':[] | malformed_json",
        "{'atomic':true,'ops':[]} x | malformed_json",
        "{'atomic':true,'ops':[1]} | invalid_body",
        "{'atomic':true,'ops':[{}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'get'}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'fly','key':'a'}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'get','key':''}]} | empty_key",
        "{'atomic':true,'ops':[{'op':'get','key':5}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'get','key':'a','ttl':'1s'}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'put','key':'a'}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'put','key':'a','value':1}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'put','key':'a','value':'\\ud83d'}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'put','key':'a','value':'','value_base64':''}]} |"
            + " invalid_body",
        "{'atomic':true,'ops':[{'op':'put','key':'a','value_base64':'*'}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'put','key':'a','value':'','ttl':'0s'}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'put','key':'a','value':'','ttl':1}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'put','key':'a','value':'','ttl':'forever'}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'put','key':'a','value':'','initial_ttl':'1s'}]} |"
            + " invalid_body",
        "{'atomic':true,'ops':[{'op':'touch','key':'a'}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'touch','key':'a','ttl':'keep'}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'touch','key':'a','ttl':'1s','value':''}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'incr','key':'a'}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'incr','key':'a','by':1.5}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'check','key':'a','version':-1}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'check','key':'a','version':null}]} | invalid_body",
        "{'atomic':true,'ops':[{'op':'put','key':'a','value':'','content_type':'x'}]}"
            + " | unsupported_media_type",
      })
  void whatIsNoBatchIsRefused(String body, String code) throws Exception {
    HttpResponse<String> refused = post(body);
    assertEquals(code, ServerUnderTest.code(refused.body()));
    assertTrue(server.map.isEmpty());
  }

  @Test
  void aBatchHasALargestNumberOfOperations() throws Exception {
    String most = "{'op':'get','key':'a'},".repeat(SizeLimits.BATCH_OPERATIONS_MAX - 1);
    assertEquals(
        SizeLimits.BATCH_OPERATIONS_MAX, results(true, most + "{'op':'get','key':'a'}").size());
    HttpResponse<String> refused =
        batch(true, most + "{'op':'get','key':'a'},{'op':'get','key':'a'}");
    assertEquals(413, refused.statusCode());
    assertEquals("batch_too_large", ServerUnderTest.code(refused.body()));
  }

  @Test
  void aBatchOfFarTooManyOperationsIsTooLarge() throws Exception {
    HttpResponse<String> refused =
        batch(false, "{'op':'get','key':'a'},".repeat(3000) + "{'op':'get','key':'a'}");
    assertEquals(413, refused.statusCode());
    assertEquals("batch_too_large", ServerUnderTest.code(refused.body()));
  }

  @Test
  void aBodyOfVeryManyValuesIsRefusedBeforeItTakesMemory() throws Exception {
    HttpResponse<String> refused = post("[" + "[],".repeat(5_000_000) + "[]]");
    assertEquals(413, refused.statusCode());
    assertEquals("batch_too_large", ServerUnderTest.code(refused.body()));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aValueIsNotToldAsOftenAsAShortRequestAsksForIt(boolean atomic) throws Exception {
    int values = 3;
    server.map.put("long", "v".repeat((SizeLimits.DEFAULT_VALUE_BYTES_MAX >> 1) - 1));
    String get = "{'op':'get','key':'long'},";
    JsonArray results = results(atomic, get.repeat(values) + "{'op':'put','key':'a','value':'1'}");
    assertEquals(200, status(results, 0));
    assertEquals(200, status(results, 1));
    assertEquals(413, status(results, 2));
    assertEquals("batch_too_large", results.get(2).getAsJsonObject().get("code").getAsString());
    assertEquals(201, status(results, values));
    assertEquals("1", server.map.get("a"));
  }

  @Test
  void manySmallValuesFitIntoABatchWhereTheLongestValueIsShort() throws Exception {
    HttpServer.Settings shortValues = ServerUnderTest.on().limits(new SizeLimits(64, 1024)).build();
    try (ServerUnderTest small =
        new ServerUnderTest(Log.inMemory(1000), shortValues, Cluster.alone(1))) {
      String put = "{\"op\":\"put\",\"key\":\"a\",\"value\":\"" + "v".repeat(1000) + "\"}";
      String puts = (put + ",").repeat(SizeLimits.BATCH_OPERATIONS_MAX - 1) + put;
      HttpResponse<String> answer =
          small.post("/v1/batch", "{\"atomic\":true,\"ops\":[" + puts + "]}");
      assertEquals(200, answer.statusCode(), answer.body());
    }
  }

  @Test
  void anOperationThatIsNoneHindersNoOtherAndIsTold() throws Exception {
    String ops =
        "[{\"op\":\"put\",\"key\":\"a\",\"value\":\"1\"},{\"op\":\"put\",\"key\":\"\",\"value\":\"2\"},7,"
            + "{\"op\":\"put\",\"key\":\"b\",\"value\":\"3\"}]";
    String each = "{\"atomic\":false,\"ops\":" + ops + "}";
    JsonArray results =
        JsonParser.parseString(server.post("/v1/batch", each).body())
            .getAsJsonObject()
            .getAsJsonArray("results");
    assertEquals(4, results.size());
    assertEquals("empty_key", results.get(1).getAsJsonObject().get("code").getAsString());
    assertEquals(422, results.get(1).getAsJsonObject().get("status").getAsInt());
    assertEquals("invalid_body", results.get(2).getAsJsonObject().get("code").getAsString());
    assertEquals("1", server.map.get("a"));
    assertEquals("3", server.map.get("b"));

    HttpResponse<String> refused =
        server.post("/v1/batch", each.replace("false", "true").replace("\"1\"", "\"4\""));
    assertEquals(422, refused.statusCode());
    assertEquals("empty_key", ServerUnderTest.code(refused.body()));
    assertEquals(1, JsonParser.parseString(refused.body()).getAsJsonObject().get("op").getAsInt());
    assertEquals("1", server.map.get("a"));
  }
}
