package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.value.EntryWeigher;
import io.pensieve.server.http.value.WaitLimits;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An entry that has no room, though it were alone, is refused on each way in. */
final class EntryTooLargeTest {
  private static final int CAPACITY_BYTES = 20_000;
  private static final String FITS = "x".repeat(CAPACITY_BYTES - EntryWeigher.ENTRY_BYTES - 100);
  private static final String NEVER_FITS = "x".repeat(CAPACITY_BYTES);

  private final Path folder;
  private ServerUnderTest server;

  EntryTooLargeTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @BeforeEach
  void start() throws Exception {
    server =
        ServerUnderTest.over(
            folder,
            new SizeLimits(
                SizeLimits.DEFAULT_KEY_BYTES_MAX,
                SizeLimits.DEFAULT_VALUE_BYTES_MAX,
                SizeLimits.DEFAULT_HEADER_BYTES_MAX,
                WaitLimits.defaults(),
                CAPACITY_BYTES));
    server.map.put("before", "v");
  }

  @AfterEach
  void nothingHasChanged() {
    assertEquals("v", server.map.get("before"));
    assertEquals(null, server.map.get("large"));
    server.close();
  }

  private static void assertRefused(HttpResponse<String> answer) {
    assertEquals(413, answer.statusCode(), answer.body());
    assertEquals("entry_too_large", ServerUnderTest.code(answer.body()));
    assertTrue(answer.body().contains(String.valueOf(CAPACITY_BYTES)), answer.body());
  }

  private static String put(String key, String value) {
    return "{\"op\":\"put\",\"key\":\"" + key + "\",\"value\":\"" + value + "\"}";
  }

  @Test
  void asBytes() throws Exception {
    assertRefused(
        server.send(server.request("/v1/kv/large").PUT(BodyPublishers.ofString(NEVER_FITS))));
    assertEquals(
        201,
        server.send(server.request("/v1/kv/fits").PUT(BodyPublishers.ofString(FITS))).statusCode());
  }

  @Test
  void asText() throws Exception {
    assertRefused(server.post("/put", "{\"key\":\"large\",\"val\":\"" + NEVER_FITS + "\"}"));
    String fits = "{\"key\":\"fits\",\"val\":\"" + FITS + "\"}";
    assertEquals(200, server.post("/put", fits).statusCode());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void inABatch(boolean atomic) throws Exception {
    HttpResponse<String> answer =
        server.post(
            "/v1/batch", "{\"atomic\":" + atomic + ",\"ops\":[" + put("large", NEVER_FITS) + "]}");
    assertTrue(answer.body().contains("\"entry_too_large\""), answer.body());
    if (atomic) {
      assertEquals(413, answer.statusCode());
    }
  }
}
