package io.pensieve.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.log.Log;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.value.WaitLimits;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several entries in one answer. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class MultiGetRouteTest {
  private static final int VALUE_BYTES = 600 << 10;

  private ServerUnderTest server;
  private KvClient kv;

  @BeforeAll
  void start() throws Exception {
    SizeLimits limits = // a thousand short keys fit into the first line; values are 1 MiB at most
        new SizeLimits(1 << 10, 1 << 20, 64 << 10, WaitLimits.defaults());
    server =
        new ServerUnderTest(
            Log.none(), ServerUnderTest.on().limits(limits).build(), Cluster.alone(1));
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

  private HttpResponse<String> ask(String query) throws Exception {
    return server.send(server.request("/v1/mget" + query));
  }

  private JsonObject get(String... keys) throws Exception {
    String query =
        IntStream.range(0, keys.length)
            .mapToObj(i -> (i == 0 ? "?" : "&") + "key=" + ServerUnderTest.escaped(keys[i]))
            .collect(Collectors.joining());
    HttpResponse<String> answer = ask(query);
    assertEquals(200, answer.statusCode(), answer.body());
    return JsonParser.parseString(answer.body()).getAsJsonObject();
  }

  private static List<String> keys(JsonArray entries) {
    List<String> keys = new ArrayList<>();
    for (JsonElement entry : entries) {
      keys.add(
          entry.isJsonObject()
              ? entry.getAsJsonObject().get("key").getAsString()
              : entry.getAsString());
    }
    return keys;
  }

  @Test
  void entriesComeInTheOrderAskedForAndMissingOnesAreTold() throws Exception {
    String tag = KvClient.header(kv.put("a?ttl=1h", "1".getBytes(UTF_8)), "ETag");
    kv.put("b", new byte[] {(byte) 0xFF}, "Content-Type", "x/y");
    JsonObject answer = get("b", "no", "a", "b", "no & none");
    assertEquals(List.of("b", "a", "b"), keys(answer.getAsJsonArray("entries")));
    assertEquals(List.of("no", "no & none"), keys(answer.getAsJsonArray("missing")));
    assertEquals(List.of(), keys(answer.getAsJsonArray("left_out")));
    JsonObject b = answer.getAsJsonArray("entries").get(0).getAsJsonObject();
    assertEquals("/w==", b.get("value_base64").getAsString());
    assertEquals("x/y", b.get("content_type").getAsString());
    JsonObject a = answer.getAsJsonArray("entries").get(1).getAsJsonObject();
    assertEquals("1", a.get("value").getAsString());
    assertEquals(tag, "\"" + a.get("version") + "\"");
    assertTrue(a.get("ttl_ms").getAsLong() > 0);
  }

  @Test
  void keysAreAnyTexts() throws Exception {
    String[] keys = {"a/b?c", "ä€😀", "+ ", "\u0000\n", "key=x&key=y"};
    for (String key : keys) {
      server.map.put(key, "of " + key);
    }
    JsonObject answer = get(keys);
    assertEquals(List.of(keys), keys(answer.getAsJsonArray("entries")));
  }

  @Test
  void whatDoesNotFitIsLeftOutAndTold() throws Exception {
    for (String key : new String[] {"a", "b", "c"}) {
      server.map.put(key, "x".repeat(VALUE_BYTES));
    }
    server.map.put("d", "1");
    JsonObject answer = get("a", "b", "none", "d");
    assertEquals(List.of("a"), keys(answer.getAsJsonArray("entries")));
    assertEquals(List.of("none"), keys(answer.getAsJsonArray("missing")));
    assertEquals(List.of("b", "d"), keys(answer.getAsJsonArray("left_out")));
    assertEquals(List.of("b", "d"), keys(get("b", "d").getAsJsonArray("entries")));
  }

  @Test
  void aThousandKeysFitAndOneMoreDoesNot() throws Exception {
    String thousand =
        IntStream.range(0, 1000).mapToObj(i -> "key=" + i).collect(Collectors.joining("&"));
    server.map.put("999", "1");
    HttpResponse<String> answer = ask("?" + thousand);
    JsonObject json = JsonParser.parseString(answer.body()).getAsJsonObject();
    assertEquals(List.of("999"), keys(json.getAsJsonArray("entries")));
    assertEquals(999, json.getAsJsonArray("missing").size());
    HttpResponse<String> refused = ask("?" + thousand + "&key=a");
    assertEquals("invalid_query", ServerUnderTest.code(refused.body()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "?consistency=stale", "?keys=a", "?key=a&key", "?key=%FF"})
  void whatNamesNoKeysIsRefused(String query) throws Exception {
    HttpResponse<String> refused = ask(query);
    assertEquals("invalid_query", ServerUnderTest.code(refused.body()));
  }

  @Test
  void keysHaveTheLimitsOfKeys() throws Exception {
    assertEquals("empty_key", ServerUnderTest.code(ask("?key=a&key=").body()));
    assertEquals("key_too_large", ServerUnderTest.code(ask("?key=" + "x".repeat(1025)).body()));
  }

  @Test
  void aStaleReadSaysHowStale() throws Exception {
    server.map.put("a", "1");
    Optional<String> staleness =
        ask("?key=a&consistency=stale").headers().firstValue("Pensieve-Staleness");
    assertEquals(Optional.of("0ms"), staleness);
  }

  @Test
  void aPeekDoesNotChangeTheOrderOfUse() throws Exception {
    server.entries.clear();
    for (String key : new String[] {"a", "b", "c"}) {
      server.map.put(key, "1");
    }
    long hits = server.entries.statistics().hits();
    String peeked = server.send(server.request("/v1/mget?key=a&peek=true&key=x")).body();
    assertTrue(peeked.startsWith("{\"entries\":[{\"key\":\"a\",\"value\":\"1\""), peeked);
    assertTrue(peeked.contains("\"missing\":[\"x\"]"), peeked);
    assertEquals("a", server.entries.coldestFirst().iterator().next().getKey());
    assertEquals(hits, server.entries.statistics().hits());
    String read = server.send(server.request("/v1/mget?key=a")).body();
    assertEquals(peeked.substring(0, peeked.indexOf("]")), read.substring(0, read.indexOf("]")));
    assertEquals("b", server.entries.coldestFirst().iterator().next().getKey());
    String refused = server.send(server.request("/v1/mget?key=a&peek=1")).body();
    assertEquals("invalid_query", ServerUnderTest.code(refused));
  }
}
