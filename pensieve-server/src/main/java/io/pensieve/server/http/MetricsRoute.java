package io.pensieve.server.http;

import static io.pensieve.server.http.metrics.PrometheusText.Kind.COUNTER;
import static io.pensieve.server.http.metrics.PrometheusText.Kind.GAUGE;

import io.pensieve.Pensieve;
import io.pensieve.Statistics;
import io.pensieve.log.LogStatistics;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.metrics.LatencyHistogram;
import io.pensieve.server.http.metrics.ProcessMetrics;
import io.pensieve.server.http.metrics.PrometheusText;
import io.pensieve.server.http.metrics.RequestMetrics;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.JsonResponses;
import io.pensieve.server.http.protocol.MemoryBudget;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.transport.InFlightRequests;
import io.undertow.server.HttpServerExchange;
import java.util.List;

/** The route that returns the metrics of this server, for Prometheus. */
final class MetricsRoute {
  // The cache metrics use Micrometer's names and labels, so existing dashboards fit.
  private static final String CACHE = "cache";
  private static final String NAME = "pensieve";
  private static final String KIND = "kind";

  private final Pensieve<?, ?> map;
  private final Cluster cluster;
  private final RequestMetrics requests;
  private final InFlightRequests inFlight;
  private final V1Routes v1Routes;
  private final SizeLimits limits;
  private final Alarms alarms;

  MetricsRoute(
      Pensieve<?, ?> map,
      Cluster cluster,
      RequestMetrics requests,
      InFlightRequests inFlight,
      V1Routes v1Routes,
      SizeLimits limits,
      Alarms alarms) {
    this.map = map;
    this.cluster = cluster;
    this.requests = requests;
    this.inFlight = inFlight;
    this.v1Routes = v1Routes;
    this.limits = limits;
    this.alarms = alarms;
  }

  /** Responds on a worker: the JVM's own metrics take milliseconds to read. */
  void scrape(HttpServerExchange exchange, String noKey) {
    exchange.dispatch(
        ExceptionMapper.mapped(
            onWorker ->
                JsonResponses.send(
                    onWorker, PrometheusText.CONTENT_TYPE, prometheusText().utf8())));
  }

  private PrometheusText prometheusText() {
    PrometheusText out = new PrometheusText();
    out.family("pensieve_build_info", GAUGE, "Which program this is; always 1.")
        .sample(1, "version", version(), "java", System.getProperty("java.version", "unknown"));
    Statistics statistics = map.statistics();
    writeCache(out, statistics);
    writeLog(out, statistics.log());
    writePeers(out);
    writeAlarms(out);
    out.gauge(
        "http_server_requests_in_flight", "Requests that are being answered.", inFlight.requests());
    writeHeld(out);
    requests.write(out);
    ProcessMetrics.write(out);
    return out;
  }

  /** Writes the metrics that must be zero while there are no requests. */
  private void writeHeld(PrometheusText out) {
    out.family("pensieve_held_requests", GAUGE, "Requests that hold something, by what for.")
        .sample(inFlight.admitted(), KIND, "admitted")
        .sample(v1Routes.pollsParked(), KIND, "poll")
        .sample(v1Routes.watchers(), KIND, "watch");
    out.family("pensieve_held_bytes", GAUGE, "Heap that requests hold, by what for.")
        .sample(MemoryBudget.OF_PROCESS.bytesReserved(), KIND, "request")
        .sample(MemoryBudget.OF_WATCHERS.bytesReserved(), KIND, "event");
  }

  private static String version() {
    String version = MetricsRoute.class.getPackage().getImplementationVersion();
    return version == null ? "unknown" : version;
  }

  private void writeCache(PrometheusText out, Statistics statistics) {
    out.family("cache_gets_total", COUNTER, "Reads of a key's value, by what they found.")
        .sample(statistics.hits(), CACHE, NAME, "result", "hit")
        .sample(statistics.misses(), CACHE, NAME, "result", "miss");
    cacheCounter(out, "puts", "Values that were written.", statistics.puts());
    cacheCounter(out, "evictions", "Entries that the bound drove out.", statistics.evictions());
    cacheCounter(out, "removals", "Entries that clients removed.", statistics.removals());
    cacheCounter(out, "expiries", "Entries whose time was over.", statistics.expiries());
    out.family("cache_size", GAUGE, "Entries that are held.")
        .sample(statistics.entries(), CACHE, NAME);
    out.family("cache_size_max", GAUGE, "Entries that are held at most.")
        .sample(map.maximumEntries(), CACHE, NAME);
    out.family("cache_weight_bytes", GAUGE, "Heap that the entries take, estimated.")
        .sample(statistics.weight(), CACHE, NAME);
    out.family("cache_weight_bytes_max", GAUGE, "Heap that the entries take at most.")
        .sample(limits.capacityBytes(), CACHE, NAME);
  }

  private static void cacheCounter(PrometheusText out, String what, String help, long value) {
    out.family("cache_" + what + "_total", COUNTER, help).sample(value, CACHE, NAME);
  }

  private static void writeLog(PrometheusText out, LogStatistics log) {
    out.counter("pensieve_log_appended_bytes_total", "Appended.", log.appendedBytes())
        .counter("pensieve_log_forces_total", "Forces of the log's file.", log.forces())
        .gauge("pensieve_log_waiting_bytes", "Appended and not written yet.", log.waitingBytes())
        .gauge("pensieve_log_base_bytes", "The entries that the log begins with.", log.baseBytes())
        .gauge("pensieve_log_changes_bytes", "The changes since then.", log.logBytes());
    out.family("pensieve_log_compactions_total", COUNTER, "Compactions, by how they ended.")
        .sample(log.compactions(), "result", "success")
        .sample(log.failedCompactions(), "result", "failure");
    out.gauge(
            "pensieve_log_last_compaction_seconds",
            "How long the last compaction took that has succeeded.",
            LatencyHistogram.seconds(log.lastCompaction().toNanos()))
        .gauge(
            "pensieve_log_failed",
            "1 if the log has failed and takes no more writes.",
            log.failure().isPresent() ? 1 : 0)
        .gauge(
            "pensieve_log_refuses_puts",
            "1 if no put is taken: the log has failed, or its volume is full.",
            log.refusal().isPresent() ? 1 : 0)
        .gauge("pensieve_log_free_bytes", "Left on the log's volume.", log.freeBytes())
        .gauge("pensieve_log_reserve_bytes", "Kept free there by puts.", log.reserveBytes());
  }

  private void writeAlarms(PrometheusText out) {
    List<Alarms.ActiveAlarm> raised = alarms.raised();
    out.family("pensieve_alarm", GAUGE, "How many alarms of a kind are raised.");
    for (Alarms.Kind kind : Alarms.Kind.values()) {
      long count = raised.stream().filter(alarm -> alarm.kind() == kind).count();
      out.sample(count, "alarm", kind.title());
    }
  }

  private void writePeers(PrometheusText out) {
    List<Cluster.Peer> peers = cluster.peers();
    out.family("pensieve_peer_phi", GAUGE, "How strongly a peer is suspected.");
    peers.forEach(peer -> out.sample(peer.phi(), "peer", peer.url().toString()));
    out.family("pensieve_peer_alive", GAUGE, "1 if a peer is alive.");
    peers.forEach(
        peer -> out.sample(peer.state().equals("alive") ? 1 : 0, "peer", peer.url().toString()));
  }
}
