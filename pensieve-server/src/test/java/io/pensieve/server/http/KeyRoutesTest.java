package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys, listed and counted. */
final class KeyRoutesTest {
  private static final long SEED = Seed.choose();

  private ServerUnderTest server;

  @BeforeEach
  void start() throws Exception {
    server = ServerUnderTest.start();
  }

  @AfterEach
  void close() {
    server.close();
  }

  private JsonObject ask(String target) throws Exception {
    StatusAndBody answer = StatusAndBody.of(server, target);
    assertEquals(200, answer.status(), answer.body());
    return JsonParser.parseString(answer.body()).getAsJsonObject();
  }

  private static List<String> texts(JsonArray array) {
    List<String> texts = new ArrayList<>();
    for (JsonElement element : array) {
      texts.add(element.getAsString());
    }
    return texts;
  }

  @Test
  void pagesTogetherHaveEveryKeyOnceAndInOrder() throws Exception {
    Random random = new Random(SEED);
    TreeSet<String> keys = new TreeSet<>();
    for (int i = 0; i < 300; i++) {
      StringBuilder key = new StringBuilder("p");
      for (int length = 1 + random.nextInt(4); length > 0; length--) {
        key.appendCodePoint(
            new int[] {'a', '/', '+', '&', ' ', 0xe9, 0xffff, 0x1F600}[random.nextInt(8)]);
      }
      keys.add(key.toString());
      server.map.put(key.toString(), "v");
      server.map.put("other" + i, "v");
    }
    List<String> listed = new ArrayList<>();
    String cursor = "";
    do {
      JsonObject page = ask("/v1/keys?prefix=p&limit=7" + cursor);
      List<String> part = texts(page.getAsJsonArray("keys"));
      assertTrue(part.size() <= 7);
      listed.addAll(part);
      cursor = page.has("cursor") ? "&cursor=" + page.get("cursor").getAsString() : "";
    } while (!cursor.isEmpty());
    assertEquals(List.copyOf(keys), listed, "seed " + SEED);
    assertEquals(keys.size(), ask("/v1/count?prefix=p").get("count").getAsInt());
    assertEquals(keys.size() + 300, ask("/v1/count").get("count").getAsInt());
  }

  @Test
  void keysWithADelimiterAreListedAsWhatTheyHaveInCommon() throws Exception {
    for (String key : new String[] {"a/1", "a/2/x", "a/2/y", "a/3", "b/1", "c"}) {
      server.map.put(key, "v");
    }
    JsonObject page = ask("/v1/keys?delimiter=/");
    assertEquals(List.of("c"), texts(page.getAsJsonArray("keys")));
    assertEquals(List.of("a/", "b/"), texts(page.getAsJsonArray("prefixes")));
    JsonObject first = ask("/v1/keys?prefix=a/&delimiter=/&limit=2");
    assertEquals(List.of("a/1"), texts(first.getAsJsonArray("keys")));
    assertEquals(List.of("a/2/"), texts(first.getAsJsonArray("prefixes")));
    String cursor = first.get("cursor").getAsString();
    JsonObject second = ask("/v1/keys?prefix=a/&delimiter=/&limit=2&cursor=" + cursor);
    assertEquals(List.of("a/3"), texts(second.getAsJsonArray("keys")));
    assertFalse(second.has("cursor"));
  }

  @Test
  void aCursorIsNotLongerThanTheHeadOfARequestMayBe() throws Exception {
    // Of keys that are as long as they may be, all characters are escaped in a query.
    String prefix = "/".repeat(SizeLimits.DEFAULT_KEY_BYTES_MAX - 1);
    server.map.put(prefix + "1", "v");
    server.map.put(prefix + "2", "v");
    String query = "/v1/keys?limit=1&prefix=" + ServerUnderTest.escaped(prefix) + "&cursor=";
    String first = query.substring(0, query.lastIndexOf('&'));
    String cursor = ask(first).get("cursor").getAsString();
    int line = ("GET " + query + cursor + " HTTP/1.1\r\n").length();
    assertTrue(line < 3 * SizeLimits.DEFAULT_KEY_BYTES_MAX + 128, () -> line + " bytes");
    assertEquals(List.of(prefix + "2"), texts(ask(query + cursor).getAsJsonArray("keys")));
  }

  @Test
  void aCursorBelongsToItsListing() throws Exception {
    server.map.put("a1", "v");
    server.map.put("a2", "v");
    String cursor = ask("/v1/keys?prefix=a&limit=1").get("cursor").getAsString();
    for (String other : new String[] {"", "prefix=b&", "prefix=a&delimiter=/&"}) {
      StatusAndBody refused = StatusAndBody.of(server, "/v1/keys?" + other + "cursor=" + cursor);
      assertEquals(400, refused.status());
      assertEquals("invalid_query", refused.code());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "limit=0",
        "limit=1001",
        "limit=x",
        "delimiter=",
        "cursor=x",
        "cursor=",
        "cursor=*.*.*",
        "x=1"
      })
  void badParametersAreRefused(String query) throws Exception {
    StatusAndBody refused = StatusAndBody.of(server, "/v1/keys?" + query);
    assertEquals(400, refused.status());
    assertEquals("invalid_query", refused.code());
  }

  @Test
  void statusTellsHowTheServerStands() throws Exception {
    server.map.put("a", "v");
    JsonObject status = ask("/v1/status");
    assertEquals(1, status.get("entries").getAsInt());
    assertEquals("none", status.get("durability").getAsString());
    assertTrue(status.get("uptime_ms").getAsLong() > 0);
    assertTrue(status.getAsJsonObject("log").has("changes_bytes"));
  }
}
