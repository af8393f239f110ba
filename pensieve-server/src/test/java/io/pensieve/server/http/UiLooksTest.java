package io.pensieve.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.file.FileLog;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.value.EntryWeigher;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.http.value.WaitLimits;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whether everybody can use the page: contrast in both colour schemes, narrow screens, the
 * keyboard, names for screen readers. Makes the pictures of the README, too.
 */
final class UiLooksTest extends BrowserScene {
  private static final List<String> VIEWS =
      List.of("#overview", "#keys", "#keys?prefix=a%2F&key=a%2Fb", "#changes");

  /** Where the pictures go; {@code -Dpensieve.pictures=pictures} replaces those of the README. */
  private static final Path PICTURES =
      Path.of(System.getProperty("pensieve.pictures", "target/pictures"));

  private static final long CAPACITY_BYTES = 1 << 20;

  UiLooksTest(@TempDir Path folder) throws Exception {
    super(folder);
  }

  /** Shows a view with something in each of its parts. */
  private void show(String view) throws Exception {
    run("location.hash = '" + view + "'");
    switch (view) {
      case "#overview" -> tab.awaitText("#routes", "/get/{key}");
      case "#keys" -> tab.awaitText("#key-list", "a/");
      case "#changes" -> tab.awaitText("#watch-toggle", "Watch");
      default -> tab.awaitText("#value", "\"x\": 1");
    }
  }

  private void fill() throws Exception {
    server.map.put("a/b", "{\"x\":1}");
    server.put("c", "d");
    assertEquals("d", server.get("c"));
  }

  private void eachView(ThrowingConsumer look) throws Exception {
    for (String view : VIEWS) {
      show(view);
      look.accept(view);
    }
  }

  private interface ThrowingConsumer {
    void accept(String view) throws Exception;
  }

  /** Loads the checks that run in the page. */
  private void loadChecks() throws Exception {
    try (InputStream file =
        Optional.ofNullable(UiLooksTest.class.getResourceAsStream("looks.js")).orElseThrow()) {
      run(new String(file.readAllBytes(), UTF_8));
    }
  }

  @Test
  void contrastIsEnoughInBothSchemes() throws Exception {
    fill();
    look("");
    loadChecks();
    for (String scheme : List.of("light", "dark")) {
      tab.scheme(scheme);
      eachView(view -> assertEquals("", tab.text("faintTexts().join('\\n')"), scheme + view));
      assertEquals("", tab.text("faintLines().join('\\n')"), scheme);
      show("#keys");
      tab.click("#new-entry");
      assertEquals("", tab.text("faintTexts().join('\\n')"), scheme);
      tab.press("Escape");
    }
    for (String theme : List.of("light", "dark")) { // chosen, against what the system prefers
      tab.click("#theme");
      tab.scheme(theme.equals("light") ? "dark" : "light");
      tab.awaitText("#theme", "Theme: " + theme);
      assertEquals("", tab.text("faintTexts().join('\\n')"), theme);
      boolean isDark = tab.eval("luminanceOfPage() < 0.5").getAsBoolean();
      assertEquals(theme.equals("dark"), isDark);
    }
  }

  @Test
  void aNarrowScreenShowsAllWithoutScrollingAside() throws Exception {
    fill();
    server.map.put("a/" + "long".repeat(200), "x".repeat(5000));
    look("");
    for (int width : List.of(400, 320)) {
      tab.size(width);
      eachView(
          view ->
              tab.await(
                  "document.documentElement.scrollWidth <= innerWidth && innerWidth === " + width));
    }
    show("#keys?prefix=a%2F&key=a%2Fb");
    tab.await("!document.querySelector('.listing').checkVisibility()");
    tab.click(".back");
    tab.awaitText("#key-list", "longlong");
    tab.await("!document.querySelector('#entry').checkVisibility()");
  }

  @Test
  void theKeyboardReachesEverythingAndShowsWhere() throws Exception {
    fill();
    look("");
    loadChecks();
    eachView(
        view -> {
          run("document.activeElement.blur(); scrollTo(0, 0)");
          int controls = tab.eval("controls().length").getAsInt();
          assertTrue(controls > 5, view);
          for (int i = 0; i < controls + 3; i++) {
            tab.press("Tab");
            run("noteFocus()");
          }
          assertEquals("", tab.text("missedControls().join('\\n')"), view);
        });
    show("#keys");
    run("document.getElementById('next').blur(); document.querySelector('#key-list a').focus()");
    tab.press("ArrowDown");
    tab.press("Enter"); // c, behind the folder
    tab.awaitText("#value", "d");
    run("document.querySelector('[role=tab]').focus()");
    tab.press("ArrowRight");
    tab.awaitText("#value", "00000000  64");
  }

  @Test
  void screenReadersFindANameForEverything() throws Exception {
    fill();
    look("");
    eachView(view -> assertEquals(List.of(), tab.controlsWithoutName(), view));
    show("#keys");
    tab.click("#new-entry");
    assertEquals(List.of(), tab.controlsWithoutName());
    tab.press("Escape");
    assertEquals("en", tab.text("document.documentElement.lang"));
    String counts =
        "[document.querySelectorAll('h1').length, document.querySelectorAll('main').length].join()";
    assertEquals("1,1", tab.text(counts));
  }

  @Test
  void theModulesComputeWhatTheySay() throws Exception {
    look("");
    run(
        """
        (async () => {
          const same = (found, expected) => {
            if (JSON.stringify(found) !== JSON.stringify(expected)) {
              throw new Error(`expected ${expected}, found ${found}`);
            }
          };
          const { Reading } = await import("/ui/metrics.js");
          const bucket = (le, n) =>
            `http_server_requests_seconds_bucket{method="GET",route="/a\\\\"{b}",status="200",le="${le}"} ${n}\\n`;
          const reading = (...counts) =>
            new Reading(
              "# HELP x\\ncache_size{cache=\\"pensieve\\"} 7.0\\n" +
                ["1.0E-4", "0.001", "+Inf"].map((le, i) => bucket(le, counts[i])).join(""), 0);
          const route = (r) => r.routes.get('GET /a"{b}');
          same(reading(0, 0, 0).get("cache_size", { cache: "pensieve" }), 7);
          same(reading(0, 0, 0).get("cache_size", { cache: "other" }), undefined);
          same(route(reading(10, 20, 20)).quantile(0.5), 1e-4);
          same(route(reading(0, 10, 10)).quantile(0.5), (1e-4 + 1e-3) / 2);
          same(route(reading(0, 0, 1)).quantile(0.5), 0.001);
          same(route(reading(5, 5, 5)).since(route(reading(5, 5, 5))).quantile(0.5), undefined);
          const { indentJson, pictureOf, decode } = await import("/ui/value.js");
          same(indentJson('{"a":1.0e5,"a":[ ],"b":{"c":"]\\\\""}}'),
            '{\\n  "a": 1.0e5,\\n  "a": [],\\n  "b": {\\n    "c": "]\\\\""\\n  }\\n}');
          same(indentJson("{a:1}"), null);
          same(decode(new Uint8Array([0xed, 0xa0, 0x80])), null);
          same(pictureOf(new Uint8Array([0x89, 0x50])), null);
          const { EventParser } = await import("/ui/watch.js");
          const events = [];
          const parser = new EventParser((event) => events.push([event.name, event.data, event.id]));
          for (const c of "id: 1\\n\\n:x\\nevent: put\\r\\ndata: a\\ndata:b\\nid: 2\\n\\n") parser.push(c);
          same(events, [["message", undefined, "1"], ["put", "a\\nb", "2"]]);
          const { span, seconds, bytes } = await import("/ui/format.js");
          same([span(90000), span(999), span(3600000)], ["1 min 30 s", "999 ms", "1 h"]);
          same([seconds(0.00025), seconds(0.0123), seconds(12)], ["250 µs", "12.3 ms", "12 s"]);
          same([bytes(1023), bytes(1536), bytes(undefined)], ["1,023 B", "1.5 KiB", "–"]);
        })()
        """);
  }

  @Test
  void picturesForTheReadme(@TempDir Path folder) throws Exception {
    Files.createDirectories(PICTURES);
    SizeLimits limits =
        new SizeLimits(1024, 16 << 20, 16 << 10, WaitLimits.defaults(), CAPACITY_BYTES);
    try (Pensieve<String, StoredValue> entries = entries(folder);
        HttpServer http = HttpServer.start(settings(limits), entries, Cluster.alone(1))) {
      tab.scheme("light");
      tab.go("http://127.0.0.1:" + http.address().getPort() + "/ui/");
      int rounds = System.getProperty("pensieve.pictures") == null ? 1 : 25;
      for (int round = 0; round < rounds; round++) {
        traffic(http, entries, round);
        String before = tab.text("document.getElementById('routes').textContent");
        tab.await("document.getElementById('routes').textContent !== " + BrowserTab.quoted(before));
      }
      tab.await("document.querySelector('#tile-latency .value').textContent.endsWith('s')");
      Files.write(PICTURES.resolve("overview.png"), tab.picture());
      tab.scheme("dark");
      tab.size(1280, 640);
      run("location.hash = '#keys?key=config.json'");
      tab.awaitText("#value", "12345678901234567890");
      tab.awaitText("#key-list", "config.json");
      Files.write(PICTURES.resolve("entry.png"), tab.picture());
      tab.go("about:blank");
    }
    for (String name : List.of("overview.png", "entry.png")) {
      assertTrue(Files.size(PICTURES.resolve(name)) > 20_000, name);
    }
  }

  // As the program opens them: with weights, and a bound that is reached.
  private static Pensieve<String, StoredValue> entries(Path folder) throws Exception {
    return Pensieve.<String, StoredValue>builder()
        .maximumEntries(600)
        .maximumWeight(CAPACITY_BYTES, EntryWeigher.OF_PROCESS)
        .recordStatistics()
        .orderKeys(Comparator.naturalOrder())
        .log(FileLog.at(folder, Codec.utf8(), StoredValue.codec()))
        .open();
  }

  private static HttpServer.Settings settings(SizeLimits limits) {
    return ServerUnderTest.on()
        .limits(limits)
        .durability(Optional.of(Durability.PROCESS_DEATH))
        .build();
  }

  private static void traffic(HttpServer http, Pensieve<String, StoredValue> entries, int round)
      throws Exception {
    String json =
        "{\"feature\":{\"ui\":true,\"limit\":12345678901234567890},\"hosts\":[\"a\",\"b\"]}";
    StoredValue config =
        StoredValue.typed("application/json", new ByteArrayInputStream(json.getBytes(UTF_8)));
    entries.put("config.json", config);
    try (RawClient client = new RawClient(http.address())) {
      for (int i = 0; i < 60 + round * 7 % 40; i++) {
        int user = (round * 37 + i * 7) % 700;
        String value = "{\"name\":\"Ada\",\"visits\":" + user + "}";
        String type = "\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ";
        String path = i % 3 == 0 ? "session/" + round + i + "?ttl=9s" : "user/" + user;
        String put =
            "PUT /v1/kv/" + path + " HTTP/1.1" + type + value.length() + "\r\n\r\n" + value;
        assertTrue(client.send(put).receive().status() < 300);
        for (int read = 0; read < 4; read++) {
          int other = (user * 31 + read * 17) % (100 + round * 25);
          assertTrue(client.request("GET", "/v1/kv/user/" + other).receive().status() <= 404);
        }
      }
      assertEquals(201, client.request("PUT", "/v1/kv/logs/" + round).receive().status());
      assertEquals(200, client.request("GET", "/v1/keys?prefix=user/").receive().status());
    }
  }
}
