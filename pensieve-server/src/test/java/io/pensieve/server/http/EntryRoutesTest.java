package io.pensieve.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.Versioned;
import io.pensieve.server.http.protocol.DurationFormat;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.testing.Seed;
import java.net.http.HttpResponse;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Entries as bytes, with type, version and expiry. */
final class EntryRoutesTest {
  private static final long SEED = Seed.choose();

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

  @Test
  void aValueComesBackWithItsTypeAndItsVersion() throws Exception {
    HttpResponse<byte[]> put = kv.put("foo", "bar".getBytes(UTF_8), "Content-Type", "a/b; c=\"d\"");
    assertEquals(201, put.statusCode());
    HttpResponse<byte[]> get = kv.get("foo");
    assertEquals(200, get.statusCode());
    assertArrayEquals("bar".getBytes(UTF_8), get.body());
    assertEquals("a/b; c=\"d\"", KvClient.header(get, "Content-Type"));
    assertEquals(KvClient.header(put, "ETag"), KvClient.header(get, "ETag"));
    assertTrue(KvClient.header(get, "ETag").matches("\"[1-9][0-9]*\""));
    assertEquals("", KvClient.header(get, "Pensieve-TTL"));
  }

  @Test
  void aValueWithoutATypeIsAnOctetStream() throws Exception {
    kv.put("foo", new byte[] {1});
    assertEquals("application/octet-stream", KvClient.header(kv.get("foo"), "Content-Type"));
  }

  @Test
  void aBrowserIsToldNotToTrustAValue() throws Exception {
    kv.put("foo", "<script>".getBytes(UTF_8), "Content-Type", "text/html");
    HttpResponse<byte[]> get = kv.get("foo");
    assertEquals("nosniff", KvClient.header(get, "X-Content-Type-Options"));
    assertEquals("sandbox", KvClient.header(get, "Content-Security-Policy"));
  }

  @Test
  void everyWriteHasANewVersion() throws Exception {
    HttpResponse<byte[]> created = kv.put("foo", new byte[] {1});
    HttpResponse<byte[]> overwritten = kv.put("foo", new byte[] {1});
    assertEquals(201, created.statusCode());
    assertEquals(204, overwritten.statusCode());
    assertNotEquals(KvClient.header(created, "ETag"), KvClient.header(overwritten, "ETag"));
    assertEquals(KvClient.header(overwritten, "ETag"), KvClient.header(kv.get("foo"), "ETag"));
  }

  @Test
  void anEmptyValueIsNoMissingKey() throws Exception {
    assertEquals(201, kv.put("foo", new byte[0]).statusCode());
    HttpResponse<byte[]> get = kv.get("foo");
    assertEquals(200, get.statusCode());
    assertEquals(0, get.body().length);
    KvClient.assertProblem(404, "no_such_key", kv.get("missing"));
  }

  @Test
  void deleteRemovesAndMayBeRepeated() throws Exception {
    kv.put("foo", new byte[] {1});
    assertEquals(204, kv.delete("foo").statusCode());
    assertEquals(204, kv.delete("foo").statusCode());
    assertEquals(404, kv.get("foo").statusCode());
  }

  @Test
  void everyByteComesBack() throws Exception {
    Random random = new Random(SEED);
    byte[] all = new byte[256];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) i;
    }
    kv.put("all", all);
    assertArrayEquals(all, kv.get("all").body());
    for (int i = 0; i < 200; i++) {
      byte[] value = new byte[random.nextInt(i % 10 == 0 ? 100_000 : 50)];
      random.nextBytes(value);
      kv.put("random", value);
      assertArrayEquals(value, kv.get("random").body(), "seed " + SEED);
    }
  }

  @Test
  void theLargestValueComesBackAndALargerOneIsRefused() throws Exception {
    byte[] largest = new byte[SizeLimits.DEFAULT_VALUE_BYTES_MAX];
    new Random(SEED).nextBytes(largest);
    assertEquals(201, kv.put("large", largest).statusCode());
    assertArrayEquals(largest, kv.get("large").body(), "seed " + SEED);
    KvClient.assertProblem(413, "body_too_large", kv.put("large", new byte[largest.length + 1]));
    assertArrayEquals(largest, kv.get("large").body());
  }

  @Test
  void textsOfTheOlderRoutesAreEntriesToo() throws Exception {
    server.put("foo", "b\u00e4r");
    HttpResponse<byte[]> get = kv.get("foo");
    assertArrayEquals("b\u00e4r".getBytes(UTF_8), get.body());
    assertEquals("text/plain;charset=utf-8", KvClient.header(get, "Content-Type"));
  }

  @Test
  void theOlderRoutesTellTextsOnly() throws Exception {
    kv.put("text", "b\u00e4r".getBytes(UTF_8), "Content-Type", "x/y");
    assertEquals("b\u00e4r", server.get("text"));
    kv.put("binary", new byte[] {(byte) 0xC3, 0x28});
    HttpResponse<String> refused = server.send(server.request("/get/binary"));
    assertEquals(409, refused.statusCode());
    assertEquals("not_text", ServerUnderTest.code(refused.body()));
    server.delete("binary");
    assertEquals(404, kv.get("binary").statusCode());
  }

  @Test
  void headTellsWhatGetTells() throws Exception {
    kv.put("foo", "bar".getBytes(UTF_8), "Content-Type", "a/b");
    try (RawClient client = server.connect()) {
      RawClient.Response get = client.request("GET", "/v1/kv/foo").receive();
      RawClient.Response head = client.request("HEAD", "/v1/kv/foo").receiveWithoutBody();
      assertEquals(200, head.status());
      assertEquals("3", head.header("content-length"));
      assertEquals(withoutDate(get.headers()), withoutDate(head.headers()));
      assertEquals(404, client.request("HEAD", "/v1/kv/no").receiveWithoutBody().status());
    }
  }

  private static Map<String, String> withoutDate(Map<String, String> headers) {
    headers.remove("date");
    return headers;
  }

  @Test
  void anAnswerWithoutABodyHasNoLength() throws Exception {
    try (RawClient client = server.connect()) {
      client.send("PUT /v1/kv/foo HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nx");
      assertEquals("0", client.receive().header("content-length"));
      client.send("PUT /v1/kv/foo HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nx");
      RawClient.Response overwritten = client.receive();
      assertEquals(204, overwritten.status());
      assertFalse(overwritten.headers().containsKey("content-length"));
      client.send("GET /v1/kv/foo HTTP/1.1\r\nHost: test\r\nIf-None-Match: *\r\n\r\n");
      RawClient.Response known = client.receiveWithoutBody();
      assertEquals(304, known.status());
      assertEquals(overwritten.header("etag"), known.header("etag"));
      assertEquals(200, client.request("GET", "/v1/kv/foo").receive().status());
    }
  }

  @Test
  void anEntryLivesAsLongAsItsWriterSays() throws Exception {
    kv.put("foo?ttl=2h", new byte[] {1});
    String ttl = KvClient.header(kv.get("foo"), "Pensieve-TTL");
    long millis = DurationFormat.parse(ttl).orElseThrow().toMillis();
    assertTrue(millis > 7_000_000 && millis <= 7_200_000, ttl);
    kv.put("foo", new byte[] {1});
    assertEquals("", KvClient.header(kv.get("foo"), "Pensieve-TTL"), "a write without ends it");
    kv.put("foo?ttl=1ms", new byte[] {1});
    Await.until("the entry expires", () -> kv.get("foo").statusCode() == 404);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ttl=0s",
        "ttl=-1s",
        "ttl=1",
        "ttl=s",
        "ttl=1.5s",
        "ttl=1%20s",
        "ttl=1S",
        "ttl=",
        "ttl",
        "ttl=01s",
        "ttl=1s&ttl=1s",
        "ttl=1s&ttl=2s",
        "ttl=12345678901d",
        "x=1",
        "TTL=1s",
        "ttl=1s&",
        "ttl=%FF",
        "durability=fsync",
        "durability=",
        "durability=none&durability=none",
        "&",
        "="
      })
  void badParametersAreRefused(String query) throws Exception {
    KvClient.assertProblem(400, "invalid_query", kv.put("foo?" + query, new byte[] {1}));
    assertTrue(server.map.isEmpty());
  }

  @Test
  void readsTakeNoParameters() throws Exception {
    KvClient.assertProblem(400, "invalid_query", kv.get("foo?ttl=1s"));
    KvClient.assertProblem(400, "invalid_query", kv.delete("foo?ttl=1s"));
  }

  @Test
  void moreDurabilityThanThereIsIsRefused() throws Exception {
    assertEquals(201, kv.put("foo?durability=none", new byte[] {1}).statusCode());
    for (String level : new String[] {"process-death", "power-cut"}) {
      HttpResponse<byte[]> refused = kv.put("foo?durability=" + level, new byte[] {2});
      KvClient.assertProblem(422, "durability_not_promised", refused);
      KvClient.assertProblem(422, "durability_not_promised", kv.delete("foo?durability=" + level));
    }
    assertArrayEquals(new byte[] {1}, kv.get("foo").body());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "text",
        "text/",
        "/plain",
        "a/b;",
        "a/b;c",
        "a/b; c=\"d",
        "a b/c",
        "a/b, c/d",
        "*"
      })
  void whatIsNoMediaTypeIsRefused(String type) throws Exception {
    KvClient.assertProblem(
        415, "unsupported_media_type", kv.put("foo", new byte[] {1}, "Content-Type", type));
  }

  @Test
  void aMediaTypeHasALongestLength() throws Exception {
    String longest = "a/" + "b".repeat(StoredValue.TYPE_CHARS_MAX - 2);
    assertEquals(201, kv.put("foo", new byte[0], "Content-Type", longest).statusCode());
    assertEquals(longest, KvClient.header(kv.get("foo"), "Content-Type"));
    KvClient.assertProblem(
        415, "unsupported_media_type", kv.put("foo", new byte[0], "Content-Type", longest + "b"));
  }

  @Test
  void compressedValuesAreRefused() throws Exception {
    KvClient.assertProblem(
        415, "unsupported_media_type", kv.put("foo", new byte[] {1}, "Content-Encoding", "gzip"));
  }

  @Test
  void jsonTellsTheWholeEntry() throws Exception {
    kv.put("f%C3%B6o?ttl=1h", "b\u00e4r".getBytes(UTF_8), "Content-Type", "x/y");
    HttpResponse<byte[]> get = kv.get("f%C3%B6o?as=json");
    JsonObject entry = json(get);
    assertEquals("f\u00f6o", entry.get("key").getAsString());
    assertEquals("b\u00e4r", entry.get("value").getAsString());
    assertEquals("x/y", entry.get("content_type").getAsString());
    Versioned<StoredValue> stored = server.entries.getVersioned("f\u00f6o");
    assertEquals(stored == null ? 0 : stored.version(), entry.get("version").getAsLong());
    assertEquals(Set.of("key", "value", "content_type", "version"), entry.keySet());
    String ttl = KvClient.header(get, "Pensieve-TTL");
    assertTrue(DurationFormat.parse(ttl).orElseThrow().toMillis() > 3_500_000, ttl);
    assertNull(entry.get("value_base64"));
  }

  @Test
  void jsonTellsBytesInBase64() throws Exception {
    kv.put("foo", HexFormat.of().parseHex("c328ff"));
    JsonObject entry = json(kv.get("foo?as=json"));
    assertEquals("wyj/", entry.get("value_base64").getAsString());
    assertNull(entry.get("value"));
  }

  @Test
  void theEntryAsJsonHasAUrlOfItsOwnAndTheStrongTagOfItsVersion() throws Exception {
    kv.put("foo", "bar".getBytes(UTF_8));
    String tag = KvClient.header(kv.get("foo"), "ETag");
    HttpResponse<byte[]> asJson = kv.get("foo?as=json");
    assertEquals(tag, KvClient.header(asJson, "ETag"));
    assertArrayEquals(asJson.body(), kv.get("foo?as=json").body(), "what a strong tag promises");
    HttpResponse<byte[]> known = kv.get("foo?as=json", "If-None-Match", tag);
    assertEquals(304, known.statusCode());
    assertEquals(tag, KvClient.header(known, "ETag"));
    assertEquals(304, kv.get("foo?as=json&wait=1ms", "If-None-Match", tag).statusCode());
    assertEquals(412, kv.put("foo", new byte[1], "If-None-Match", tag).statusCode());
    kv.put("foo", "baz".getBytes(UTF_8));
    HttpResponse<byte[]> changed = kv.get("foo?as=json&wait=1m", "If-None-Match", tag);
    assertEquals("baz", json(changed).get("value").getAsString());
    KvClient.assertProblem(400, "invalid_query", kv.get("foo?as=xml"));
  }

  @Test
  void aValueIsAnsweredAsItIsWhateverAcceptSays() throws Exception {
    kv.put("foo", "bar".getBytes(UTF_8), "Content-Type", "a/b");
    HttpResponse<byte[]> get = kv.get("foo", "Accept", "application/json");
    assertEquals("a/b", KvClient.header(get, "Content-Type"));
    assertEquals("", KvClient.header(get, "Vary"));
  }

  @Test
  void cachesAskBeforeTheyUseAValueAndKeepNoRefusal() throws Exception {
    kv.put("foo", "bar".getBytes(UTF_8));
    HttpResponse<byte[]> get = kv.get("foo");
    assertEquals("no-cache", KvClient.header(get, "Cache-Control"));
    String tag = KvClient.header(get, "ETag");
    HttpResponse<byte[]> known = kv.get("foo", "If-None-Match", tag);
    assertEquals(304, known.statusCode());
    assertEquals("no-cache", KvClient.header(known, "Cache-Control"));
    for (HttpResponse<byte[]> refused :
        List.of(
            kv.get("missing"),
            kv.get("foo", "If-Match", "\"7\""),
            kv.put("foo", new byte[1], "If-None-Match", "*"),
            kv.get("foo?x=1"))) {
      assertEquals("no-store", KvClient.header(refused, "Cache-Control"));
    }
    assertEquals(
        "no-store", KvClient.header(server.send(server.request("/get/foo")), "Cache-Control"));
  }

  private static JsonObject json(HttpResponse<byte[]> answer) throws Exception {
    assertEquals("application/json", KvClient.header(answer, "Content-Type"));
    return JsonParser.parseString(new String(answer.body(), UTF_8)).getAsJsonObject();
  }

  @Test
  void aPartIsNotTakenForTheWhole() throws Exception {
    byte[] whole = {1, 2, 3};
    assertEquals(201, kv.put("k", whole).statusCode());
    byte[] part = {9};
    KvClient.assertProblem(400, "partial_put", kv.put("k", part, "Content-Range", "bytes 0-0/3"));
    assertArrayEquals(whole, kv.get("k").body());
  }
}
