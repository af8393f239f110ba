package io.pensieve.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.pensieve.server.client.MetricsReading;
import io.pensieve.server.command.ClientProgram;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands {@code top} and {@code bench}. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
final class OperatorCommandsTest {
  private static final String READ = "the-token-that-may-read";
  private static final String WRITE = "the-token-that-may-write";

  private final Map<String, String> environment = new HashMap<>();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private PensieveServer server;

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    Path tokens = folder.resolve("tokens");
    Files.writeString(tokens, "read " + READ + "\nwrite " + WRITE + "\n");
    Map<Setting, String> flags = new EnumMap<>(Setting.class);
    flags.put(Setting.PORT, "0");
    flags.put(Setting.DATA_DIR, folder.resolve("data").toString());
    flags.put(Setting.CAPACITY, "1000");
    flags.put(Setting.TOKENS_FILE, tokens.toString());
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, UTF_8);
    server =
        PensieveServer.start(
            Configuration.of(SettingValue.resolve(flags, Map.of())),
            nowhere,
            nowhere,
            nowhere,
            failure -> {});
  }

  @AfterAll
  void close() {
    server.close();
  }

  @BeforeEach
  void ask() {
    environment.put("PENSIEVE_URL", server.url());
    environment.put("PENSIEVE_TOKEN", WRITE);
  }

  private int run(String... arguments) {
    out.reset();
    return runInto(out, "", false, arguments);
  }

  private int runInto(OutputStream to, String keys, boolean terminal, String... arguments) {
    err.reset();
    return new ClientProgram(
            environment,
            new ByteArrayInputStream(keys.getBytes(UTF_8)),
            new PrintStream(to, false, UTF_8),
            new PrintStream(err, true, UTF_8),
            terminal)
        .run(arguments);
  }

  @Test
  void topShowsOnePageOnDemand() {
    assertEquals(0, run("put", "a", "1"));
    assertEquals(0, run("get", "a"));
    environment.put("PENSIEVE_TOKEN", READ);
    assertEquals(0, run("top", "--once"), err::toString);
    String page = out.toString(UTF_8);
    assertTrue(page.contains("of 1000\n"), page);
    assertTrue(page.contains("GET /v1/kv/{key} "), page);
    assertTrue(page.contains("hits 100.0 %"), page);
    assertFalse(page.contains("\u001b"), page);
    assertEquals(0, run("top", "--once", "--json"));
    JsonObject json = JsonParser.parseString(out.toString(UTF_8)).getAsJsonObject();
    assertEquals(1000, json.getAsJsonObject("status").get("entries_max").getAsInt());
    JsonObject gets = json.getAsJsonObject("routes").getAsJsonObject("GET /v1/kv/{key}");
    assertTrue(gets.get("per_second").getAsDouble() > 0, gets::toString);
    assertTrue(gets.get("p99_ms").getAsDouble() > 0, gets::toString);
  }

  @Test
  void topTakesATerminalAndGivesItBack() {
    out.reset();
    assertEquals(0, runInto(out, "xq", true, "top"));
    String screen = out.toString(UTF_8);
    assertTrue(screen.startsWith("\u001b[?1049h\u001b[?25l\u001b[H"), screen);
    assertTrue(screen.endsWith("\u001b[?25h\u001b[?1049l"), screen);
    assertTrue(screen.contains("entries "), screen);
  }

  @Test
  void topPrintsALineEachTimeUntilNobodyReadsThem() {
    class Reader extends OutputStream {
      final ByteArrayOutputStream read = new ByteArrayOutputStream();

      @Override
      public void write(int one) throws IOException {
        if (read.toString(UTF_8).lines().count() == 3) {
          throw new IOException("Broken pipe");
        }
        read.write(one);
      }
    }
    Reader reader = new Reader();
    assertEquals(6, runInto(reader, "", false, "top", "--interval", "1"));
    assertTrue(
        reader.read.toString(UTF_8).lines().limit(2).allMatch(line -> line.startsWith("entries ")));
  }

  @ParameterizedTest
  @CsvSource({
    "top --interval 0, 2, --interval",
    "top --interval x, 2, --interval",
    "top --url http://127.0.0.1:1, 4, no server answers",
    "bench --keys 0, 2, --keys",
    "bench --puts 101, 2, --puts",
    "bench --seconds -1, 2, --seconds",
    "bench --connections 10000, 2, --connections",
    "bench --keys 5000, 2, evicts others",
    "bench --url http://127.0.0.1:1, 4, no server answers"
  })
  void whatCannotBeDoneIsSaidInOneLine(String command, int code, String complaint) {
    assertEquals(code, run(command.split(" ", -1)), err::toString);
    assertTrue(err.toString(UTF_8).contains(complaint), err::toString);
    assertEquals(1, err.toString(UTF_8).lines().count());
  }

  private JsonObject bench(String... arguments) {
    String[] all = new String[arguments.length + 8];
    String[] brief = {"bench", "--json", "--seconds", "1", "--warm-up", "0", "--keys", "50"};
    System.arraycopy(brief, 0, all, 0, brief.length);
    System.arraycopy(arguments, 0, all, brief.length, arguments.length);
    assertEquals(0, run(all), err::toString);
    return JsonParser.parseString(out.toString(UTF_8)).getAsJsonObject();
  }

  @Test
  void benchMeasuresAndDeletesWhatItPut() {
    assertEquals(0, run("put", "bench/mine", "1"));
    JsonObject report = bench("--connections", "2", "--puts", "50", "--value-bytes", "10");
    for (String kind : new String[] {"get", "put"}) {
      JsonObject count = report.getAsJsonObject(kind);
      assertTrue(count.get("requests").getAsLong() > 0, report::toString);
      assertEquals(0, count.get("errors").getAsLong(), report::toString);
      assertEquals(0, count.get("misses").getAsLong(), report::toString);
      assertTrue(count.get("p50_ms").getAsDouble() > 0, report::toString);
      assertTrue(
          count.get("p50_ms").getAsDouble() <= count.get("p999_ms").getAsDouble(),
          report::toString);
    }
    assertEquals(0, run("keys", "bench/"));
    assertEquals("bench/mine\n", out.toString(UTF_8));
  }

  @Test
  void benchKeepsToARate() {
    JsonObject report = bench("--connections", "2", "--puts", "0", "--rate", "20");
    long requests = report.getAsJsonObject("get").get("requests").getAsLong();
    assertTrue(requests > 0 && requests <= 22, report::toString);
    assertEquals(0, report.getAsJsonObject("put").get("requests").getAsLong());
  }

  @Test
  void benchAsksForTheRightToWrite() {
    environment.put("PENSIEVE_TOKEN", READ);
    assertEquals(5, run("bench", "--keys", "10"));
    assertTrue(err.toString(UTF_8).contains("forbidden"), err::toString);
  }

  @Test
  void quantilesAreEstimatedAsPrometheusDoes() {
    String text =
        """
        # TYPE http_server_requests_seconds histogram
        http_server_requests_seconds_bucket{method="GET",route="/a",status="200",le="0.1"} 5.0
        http_server_requests_seconds_bucket{method="GET",route="/a",status="200",le="0.2"} 10.0
        http_server_requests_seconds_bucket{method="GET",route="/a",status="200",le="+Inf"} 10.0
        http_server_requests_seconds_bucket{method="GET",route="/a",status="404",le="0.1"} 10.0
        http_server_requests_seconds_bucket{method="GET",route="/a",status="404",le="0.2"} 10.0
        http_server_requests_seconds_bucket{method="GET",route="/a",status="404",le="+Inf"} 10.0
        cache_gets_total{cache="entries",result="hit"} 3.0
        cache_gets_total{cache="entries",result="miss"} 1.0
        """;
    MetricsReading now = MetricsReading.of(text);
    NavigableMap<Double, Double> counts =
        requireNonNull(now.requestsSince(MetricsReading.none()).get("GET /a"));
    assertEquals(20, counts.lastEntry().getValue());
    assertEquals(0.0666, MetricsReading.quantile(0.5, counts), 0.001);
    assertEquals(0.2, MetricsReading.quantile(1, counts), 0.001);
    assertEquals(4, now.sum("cache_gets_total"));
    assertEquals(3, now.hits());
    assertTrue(now.requestsSince(now).isEmpty());
  }
}
