package io.pensieve.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The bounds of a server that runs, changed by a request, or by settings that are read again. */
@Timeout(120)
final class SettingsRouteTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final PrintStream NOWHERE =
      new PrintStream(OutputStream.nullOutputStream(), false, UTF_8);

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final Path data;
  private Map<Setting, SettingValue> given = Map.of();
  private PensieveServer server;

  SettingsRouteTest(@TempDir Path folder) {
    data = folder.resolve("data");
    server = start("10");
  }

  private Map<Setting, SettingValue> settings(String capacity) {
    Map<Setting, String> flags = new EnumMap<>(Setting.class);
    flags.put(Setting.PORT, "0");
    flags.put(Setting.DATA_DIR, data.toString());
    flags.put(Setting.CAPACITY, capacity);
    return SettingValue.resolve(flags, Map.of());
  }

  private PensieveServer start(String capacity) {
    given = settings(capacity);
    return PensieveServer.start(Configuration.of(given), NOWHERE, NOWHERE, NOWHERE, failure -> {});
  }

  @AfterEach
  void close() {
    server.close();
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return client.send(request.timeout(PATIENCE).build(), BodyHandlers.ofString());
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(server.url() + path));
  }

  private HttpResponse<String> patch(String json) throws Exception {
    return send(
        request("/v1/settings")
            .header("Content-Type", "application/json")
            .method("PATCH", BodyPublishers.ofString(json)));
  }

  private int put(String key, String value) throws Exception {
    return send(request("/v1/kv/" + key).PUT(BodyPublishers.ofString(value))).statusCode();
  }

  private void putMany(int count) throws Exception {
    for (int key = 0; key < count; key++) {
      assertEquals(201, put("key" + key, "1"));
    }
  }

  private JsonObject status() throws Exception {
    return JsonParser.parseString(send(request("/v1/status")).body()).getAsJsonObject();
  }

  private long entries() throws Exception {
    return status().get("entries").getAsLong();
  }

  @Test
  void aLargerBoundAppliesAtOnce() throws Exception {
    putMany(15);
    assertEquals(10, entries());
    long bytes = status().get("weight_bytes_max").getAsLong();
    HttpResponse<String> answer = patch("{\"capacity\":20}");
    assertEquals(200, answer.statusCode(), answer.body());
    assertEquals("{\"capacity\":20,\"capacity_bytes\":" + bytes + "}", answer.body());
    for (int key = 20; key < 35; key++) {
      assertEquals(201, put("key" + key, "1"));
    }
    assertEquals(20, entries());
    assertEquals(20, status().get("entries_max").getAsLong());
  }

  @Test
  void aSmallerBoundEvictsTheColdestAndSoDoesTheNextStart() throws Exception {
    putMany(10);
    assertEquals(200, send(request("/v1/kv/key0")).statusCode());
    assertEquals(200, patch("{\"capacity\":3}").statusCode());
    assertEquals("{\"keys\":[\"key0\",\"key8\",\"key9\"],\"prefixes\":[]}", keys());
    assertEquals(201, put("new", "1"));
    assertEquals(3, entries());
    server.close();
    server = start("3"); // the folder has no more, and knows it
    assertEquals("{\"keys\":[\"key0\",\"key9\",\"new\"],\"prefixes\":[]}", keys());
  }

  private String keys() throws Exception {
    return send(request("/v1/keys")).body();
  }

  @Test
  void aLargerBoundIsRememberedForTheNextStart() throws Exception {
    assertEquals(200, patch("{\"capacity\":20}").statusCode());
    putMany(15);
    server.close();
    StartupException refused = assertThrows(StartupException.class, () -> start("10"));
    assertTrue(refused.toString().contains("would lose 5 of 15 entries"), refused::toString);
    server = start("15");
    assertEquals(15, entries());
  }

  @Test
  void aBoundOfBytesDecidesWhichEntriesFit() throws Exception {
    assertEquals(200, patch("{\"capacity_bytes\":4096}").statusCode());
    assertEquals(4096, status().get("weight_bytes_max").getAsLong());
    assertEquals(413, put("large", "x".repeat(5000)));
    HttpResponse<String> answer = patch("{\"capacity\":7,\"capacity_bytes\":65536}");
    assertEquals("{\"capacity\":7,\"capacity_bytes\":65536}", answer.body());
    assertEquals(201, put("large", "x".repeat(5000)));
    assertEquals(200, patch("{\"capacity_bytes\":2048}").statusCode());
    assertEquals(404, send(request("/v1/kv/large")).statusCode());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}                                   | 422",
        "[]                                   | 422",
        "1                                    | 422",
        "{\"capacity\":0}                     | 422",
        "{\"capacity\":-1}                    | 422",
        "{\"capacity\":1073741825}            | 422",
        "{\"capacity\":1.5}                   | 422",
        "{\"capacity\":1e3}                   | 422",
        "{\"capacity\":\"5\"}                 | 422",
        "{\"capacity\":null}                  | 422",
        "{\"capacity\":99999999999999999999}  | 422",
        "{\"capacity_bytes\":1023}            | 422",
        "{\"capacity_bytes\":9223372036854775807} | 422",
        "{\"capacity\":5,\"capacityBytes\":5000}  | 422",
        "{\"capacity\":5,\"capacity\":6}      | 422",
        "{\"capacity\":5                      | 400",
        "nonsense                             | 400"
      })
  void whatIsNoBoundChangesNothing(String body, int status) throws Exception {
    HttpResponse<String> refused = patch(body);
    assertEquals(status, refused.statusCode(), refused.body());
    assertEquals(10, status().get("entries_max").getAsLong());
  }

  @Test
  void settingsThatAreReadAgainChangeTheBoundsAndNothingElse() throws Exception {
    putMany(10);
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream err = new PrintStream(printed, true, UTF_8);
    Main.reconfigure(server, given, settings("10"), err);
    assertEquals("", printed.toString(UTF_8));
    Map<Setting, SettingValue> changed = settings("4");
    changed.put(Setting.UI, new SettingValue("false", "file f, ui"));
    Main.reconfigure(server, given, changed, err);
    assertTrue(
        printed.toString(UTF_8).startsWith("ui has changed: it is used after a restart\n"),
        printed::toString);
    assertTrue(printed.toString(UTF_8).contains("capacity is 4 and "), printed::toString);
    assertEquals(4, entries());
    assertEquals(200, patch("{\"capacity\":6}").statusCode());
    Main.reconfigure(server, given, changed, err); // unchanged, so it does not undo the request
    assertEquals(6, status().get("entries_max").getAsLong());
    assertThrows(StartupException.class, () -> Main.reconfigure(server, given, settings("0"), err));
    assertEquals(6, status().get("entries_max").getAsLong());
  }
}
