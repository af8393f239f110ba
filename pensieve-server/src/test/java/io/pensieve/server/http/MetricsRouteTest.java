package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Log;
import io.pensieve.server.http.metrics.Alarms;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.hawkular.agent.prometheus.text.TextPrometheusMetricsProcessor;
import org.hawkular.agent.prometheus.types.Counter;
import org.hawkular.agent.prometheus.types.Gauge;
import org.hawkular.agent.prometheus.types.Histogram;
import org.hawkular.agent.prometheus.types.Metric;
import org.hawkular.agent.prometheus.types.MetricFamily;
import org.hawkular.agent.prometheus.walkers.CollectorPrometheusMetricsWalker;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What /metrics answers, read by a parser of the format that is not ours. */
final class MetricsRouteTest {
  private static final Cluster.Peer PEER =
      new Cluster.Peer(
          URI.create("http://b:7878"), OptionalLong.of(2), "alive", 0.5, OptionalLong.of(1), 1);
  private static final Map<String, String> CACHE = Map.of("cache", "pensieve");

  private ServerUnderTest server;
  private final Alarms alarms = Alarms.silent();
  private List<MetricFamily> families = List.of();

  @BeforeEach
  void start() throws Exception {
    Cluster cluster =
        new Cluster() {
          @Override
          public long nodeId() {
            return 1;
          }

          @Override
          public void onHeartbeat(long nodeId) {}

          @Override
          public List<Peer> peers() {
            return List.of(PEER);
          }
        };
    server = new ServerUnderTest(Log.none(), ServerUnderTest.settings(), cluster, alarms);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void everyLineIsUnderstoodByAParser() throws Exception {
    server.put("foo", "bar");
    String text = scrape();
    Set<String> told =
        text.lines()
            .filter(line -> line.startsWith("# TYPE "))
            .map(line -> line.split(" ", -1)[2])
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> read =
        families.stream().map(MetricFamily::getName).collect(Collectors.toCollection(TreeSet::new));
    // The parser leaves out families that have no samples.
    assertTrue(told.containsAll(read), () -> read + " in " + text);
    assertEquals(told, read, text);
    for (String line : text.lines().toList()) {
      assertTrue(
          line.matches(
              "# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\\{([a-z]+=\"([^\"\\\\]|\\\\.)*\",?)+\\})?"
                  + " (-?[0-9.E-]+|\\+Inf|-Inf|NaN)"),
          line);
    }
  }

  /**
   * Dashboards and alerts name series. The file has those of the first version: their types, names
   * and labels, where {@code *} is a value of this JVM.
   */
  @Test
  void noSeriesGetsLostOrRenamed() throws Exception {
    server.put("foo", "bar");
    server.get("foo");
    Await.until("all are counted", () -> server.http.requestsInFlight() == 0);
    Set<String> now = series(scrape());
    Set<String> kept =
        new TreeSet<>(Files.readAllLines(Path.of("src/test/resources/metrics/series.txt")));
    kept.removeAll(now);
    assertEquals(Set.of(), kept, now::toString);
  }

  /** The type, name and labels of all series of a text. */
  static Set<String> series(String text) {
    Set<String> all = new TreeSet<>();
    String type = "";
    for (String line : text.lines().toList()) {
      if (line.startsWith("# TYPE ")) {
        type = line.substring(line.lastIndexOf(' ') + 1);
      } else if (!line.startsWith("#")) {
        all.add(type + " " + nameAndLabels(line.substring(0, line.lastIndexOf(' '))));
      }
    }
    return all;
  }

  private static String nameAndLabels(String sample) {
    int labels = sample.indexOf('{');
    if (labels < 0) {
      return sample + "{}";
    }
    String sorted =
        Stream.of(sample.substring(labels + 1, sample.length() - 1).split("(?<=\"),", -1))
            .map(label -> label.replaceFirst("^(version|java|id|gc)=.*", "$1=\"*\""))
            .sorted()
            .collect(Collectors.joining(","));
    return sample.substring(0, labels) + "{" + sorted + "}";
  }

  @Test
  void everyFamilyIsInTheDocument() throws Exception {
    scrape();
    String document = Files.readString(Path.of("API.md"));
    for (MetricFamily family : families) {
      assertTrue(document.contains("`" + family.getName() + "`"), family.getName());
    }
  }

  @Test
  void alarmsAreShownByTheirKind() throws Exception {
    scrape();
    assertEquals(0, gauge("pensieve_alarm", Map.of("alarm", "log_full")));
    alarms.raise(Alarms.Kind.LOG_FULL, "", "no room");
    alarms.raise(Alarms.Kind.PEER_FLAPPING, "http://b:1", "died");
    alarms.raise(Alarms.Kind.PEER_FLAPPING, "http://c:1", "died");
    scrape();
    assertEquals(1, gauge("pensieve_alarm", Map.of("alarm", "log_full")));
    assertEquals(2, gauge("pensieve_alarm", Map.of("alarm", "peer_flapping")));
    String status = StatusAndBody.of(server, "/v1/status").body();
    assertTrue(
        status.contains("{\"alarm\":\"log_full\",\"reason\":\"no room\",\"since_ms\":"), status);
    assertTrue(status.contains("\"subject\":\"http://b:1\""), status);
    alarms.clear(Alarms.Kind.LOG_FULL, "");
    scrape();
    assertEquals(0, gauge("pensieve_alarm", Map.of("alarm", "log_full")));
    assertFalse(StatusAndBody.of(server, "/v1/status").body().contains("log_full"));
  }

  @Test
  void readsAreCountedByWhatTheyFound() throws Exception {
    server.put("foo", "bar");
    server.get("foo");
    server.get("foo");
    server.get("missing");
    server.delete("foo");
    scrape();
    assertEquals(2, counter("cache_gets_total", with("result", "hit")));
    assertEquals(1, counter("cache_gets_total", with("result", "miss")));
    assertEquals(1, counter("cache_puts_total", CACHE));
    assertEquals(1, counter("cache_removals_total", CACHE));
    assertEquals(0, gauge("cache_size", CACHE));
    assertEquals(10_000, gauge("cache_size_max", CACHE));
  }

  private static Map<String, String> with(String name, String value) {
    return Map.of("cache", "pensieve", name, value);
  }

  @Test
  void evictionsAreCounted() throws Exception {
    for (int i = 0; i < 10_003; i++) {
      server.map.put("key" + i, "v");
    }
    scrape();
    assertEquals(3, counter("cache_evictions_total", CACHE));
    assertEquals(10_003, counter("cache_puts_total", CACHE));
  }

  @Test
  void requestsAreTimedByTemplateAndStatusAndNeverByKey() throws Exception {
    server.put("foo", "bar");
    server.get("foo");
    server.get("secret");
    server.send(server.request("/get/").method("HEAD", BodyPublishers.noBody()));
    server.send(server.request("/secret"));
    server.send(server.request("/get/secret").method("SECRET", BodyPublishers.noBody()));
    server.post("/put", "{}");
    Await.until("all are counted", () -> server.http.requestsInFlight() == 0);
    String text = scrape();
    assertEquals(2, requests("GET", "/get/{key}", 200));
    assertEquals(1, requests("HEAD", "/get/{key}", 422));
    assertEquals(1, requests("POST", "/put", 200));
    assertEquals(1, requests("POST", "/put", 422));
    assertEquals(1, requests("other", "other", 404));
    assertEquals(1, requests("other", "other", 405));
    assertFalse(text.toLowerCase(Locale.ROOT).contains("secret"), text);
  }

  private long requests(String method, String route, int status) {
    Histogram histogram =
        metric(
            Histogram.class,
            "http_server_requests_seconds",
            Map.of("method", method, "route", route, "status", "" + status));
    long before = 0;
    for (Histogram.Bucket bucket : histogram.getBuckets()) {
      assertTrue(bucket.getCumulativeCount() >= before, histogram::toString);
      before = bucket.getCumulativeCount();
    }
    assertEquals(histogram.getSampleCount(), before);
    assertTrue(histogram.getSampleSum() > 0);
    return histogram.getSampleCount();
  }

  @Test
  void whatIsCountedNeverGetsLess() throws Exception {
    Map<String, Double> before = Map.of();
    for (int i = 0; i < 3; i++) {
      server.put("k" + i, "v");
      server.get("k" + i);
      server.get("missing");
      server.delete("k" + i);
      Await.until("all are counted", () -> server.http.requestsInFlight() == 0);
      scrape();
      Map<String, Double> now = counted();
      assertTrue(now.keySet().containsAll(before.keySet()));
      before.forEach((name, count) -> assertTrue(now.getOrDefault(name, -1.0) >= count, name));
      before = now;
    }
    assertEquals(3, before.get("cache_puts_total{cache=pensieve}"));
    assertEquals(
        3, before.get("http_server_requests_seconds{method=POST, route=/put, status=200}"));
  }

  private Map<String, Double> counted() {
    Map<String, Double> counted = new TreeMap<>();
    for (MetricFamily family : families) {
      for (Metric metric : family.getMetrics()) {
        String name = family.getName() + new TreeMap<>(metric.getLabels());
        if (metric instanceof Counter counter) {
          counted.put(name, counter.getValue());
        } else if (metric instanceof Histogram histogram) {
          counted.put(name, (double) histogram.getSampleCount());
        }
      }
    }
    return counted;
  }

  @Test
  void peersTheLogTheProcessAndTheProgramAreThere() throws Exception {
    scrape();
    assertEquals(0.5, gauge("pensieve_peer_phi", Map.of("peer", "http://b:7878")));
    assertEquals(1, gauge("pensieve_peer_alive", Map.of("peer", "http://b:7878")));
    assertEquals(0, gauge("pensieve_log_failed", Map.of()));
    assertEquals(0, counter("pensieve_log_compactions_total", Map.of("result", "failure")));
    // The scrape itself.
    assertEquals(1, gauge("http_server_requests_in_flight", Map.of()));
    assertTrue(gauge("jvm_memory_used_bytes", Map.of("area", "heap")) > 0);
    assertTrue(gauge("jvm_threads_live_threads", Map.of()) > 0);
    assertTrue(gauge("process_start_time_seconds", Map.of()) > 0);
    assertTrue(families.stream().anyMatch(found -> found.getName().equals("pensieve_build_info")));
  }

  private String scrape() throws Exception {
    HttpResponse<String> answer = server.send(server.request("/metrics"));
    assertEquals(200, answer.statusCode());
    assertEquals(
        "text/plain; version=0.0.4; charset=utf-8",
        answer.headers().firstValue("Content-Type").orElse(""));
    CollectorPrometheusMetricsWalker walker = new CollectorPrometheusMetricsWalker();
    new TextPrometheusMetricsProcessor(
            new ByteArrayInputStream(answer.body().getBytes(StandardCharsets.UTF_8)), walker)
        .walk();
    families = walker.getAllMetricFamilies();
    return answer.body();
  }

  private double counter(String name, Map<String, String> labels) {
    return metric(Counter.class, name, labels).getValue();
  }

  private double gauge(String name, Map<String, String> labels) {
    return metric(Gauge.class, name, labels).getValue();
  }

  private <M extends Metric> M metric(Class<M> kind, String name, Map<String, String> labels) {
    for (MetricFamily family : families) {
      for (Metric metric : family.getMetrics()) {
        if (family.getName().equals(name) && metric.getLabels().equals(labels)) {
          return kind.cast(metric);
        }
      }
    }
    throw new AssertionError("no " + name + labels);
  }
}
