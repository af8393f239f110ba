package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.pensieve.Statistics;
import io.pensieve.log.LogStatistics;
import io.pensieve.server.http.changes.LongPolls;
import io.pensieve.server.http.changes.WatchRoute;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.metrics.MetricFamilies;
import io.pensieve.server.http.metrics.MetricFamilies.Sample;
import io.pensieve.server.http.metrics.ProcessMetrics;
import io.pensieve.server.http.metrics.RequestMetrics;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.JsonResponses;
import io.pensieve.server.http.protocol.MemoryBudget;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.transport.InFlightRequests;
import io.undertow.server.HttpServerExchange;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The route that returns the metrics of this server, for Prometheus. */
final class MetricsRoute {
  // The cache metrics use Micrometer's names and labels, so existing dashboards fit.
  private static final String CACHE = "cache";
  private static final String NAME = "pensieve";
  private static final String KIND = "kind";
  private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

  private final Pensieve<?, ?> map;
  private final Cluster cluster;
  private final RequestMetrics requests;
  private final InFlightRequests inFlight;
  private final LongPolls polls;
  private final WatchRoute watch;
  private final SizeLimits limits;
  private final Alarms alarms;
  private final Optional<ReplicationMetrics> replication;

  MetricsRoute(
      Pensieve<?, ?> map,
      Cluster cluster,
      RequestMetrics requests,
      InFlightRequests inFlight,
      LongPolls polls,
      WatchRoute watch,
      SizeLimits limits,
      Alarms alarms,
      Optional<ReplicationMetrics> replication) {
    this.map = map;
    this.cluster = cluster;
    this.requests = requests;
    this.inFlight = inFlight;
    this.polls = polls;
    this.watch = watch;
    this.limits = limits;
    this.alarms = alarms;
    this.replication = replication;
  }

  /** Responds on a worker: the JVM's own metrics take milliseconds to read. */
  void scrape(HttpServerExchange exchange) {
    exchange.dispatch(
        ExceptionMapper.mapped(
            onWorker ->
                JsonResponses.send(onWorker, MetricFamilies.CONTENT_TYPE, families().text())));
  }

  private MetricFamilies families() {
    MetricFamilies out = new MetricFamilies();
    String java = System.getProperty("java.version", "unknown");
    out.gauge(
        "pensieve_build_info",
        "Which program this is; always 1.",
        List.of(Sample.of(1, "version", version(), "java", java)));
    Statistics statistics = map.statistics();
    addCache(out, statistics);
    addLog(out, statistics.log());
    addPeers(out);
    replication.ifPresent(metrics -> metrics.addTo(out));
    addAlarms(out);
    out.gauge(
        "http_server_requests_in_flight", "Requests that are being answered.", inFlight.requests());
    addHeld(out);
    requests.addTo(out);
    ProcessMetrics.addTo(out);
    return out;
  }

  /** Adds the metrics that must be zero while there are no requests. */
  private void addHeld(MetricFamilies out) {
    out.gauge(
        "pensieve_held_requests",
        "Requests that hold something, by what for.",
        List.of(
            Sample.of(inFlight.admitted(), KIND, "admitted"),
            Sample.of(polls.parked(), KIND, "poll"),
            Sample.of(watch.watchers(), KIND, "watch")));
    out.gauge(
        "pensieve_held_bytes",
        "Heap that requests hold, by what for.",
        List.of(
            Sample.of(MemoryBudget.OF_PROCESS.bytesReserved(), KIND, "request"),
            Sample.of(MemoryBudget.OF_WATCHERS.bytesReserved(), KIND, "event")));
  }

  private static String version() {
    String version = MetricsRoute.class.getPackage().getImplementationVersion();
    return version == null ? "unknown" : version;
  }

  private void addCache(MetricFamilies out, Statistics statistics) {
    out.counter(
        "cache_gets_total",
        "Reads of a key's value, by what they found.",
        List.of(
            Sample.of(statistics.hits(), CACHE, NAME, "result", "hit"),
            Sample.of(statistics.misses(), CACHE, NAME, "result", "miss")));
    cacheCounter(out, "puts", "Values that were written.", statistics.puts());
    cacheCounter(out, "evictions", "Entries that the bound drove out.", statistics.evictions());
    cacheCounter(out, "removals", "Entries that clients removed.", statistics.removals());
    cacheCounter(out, "expiries", "Entries whose time was over.", statistics.expiries());
    cacheGauge(out, "size", "Entries that are held.", statistics.entries());
    cacheGauge(out, "size_max", "Entries that are held at most.", map.maximumEntries());
    cacheGauge(out, "weight_bytes", "Heap that the entries take, estimated.", statistics.weight());
    cacheGauge(
        out, "weight_bytes_max", "Heap that the entries take at most.", limits.capacityBytes());
  }

  private static void cacheCounter(MetricFamilies out, String what, String help, long value) {
    out.counter("cache_" + what + "_total", help, List.of(Sample.of(value, CACHE, NAME)));
  }

  private static void cacheGauge(MetricFamilies out, String what, String help, long value) {
    out.gauge("cache_" + what, help, List.of(Sample.of(value, CACHE, NAME)));
  }

  private static void addLog(MetricFamilies out, LogStatistics log) {
    out.counter("pensieve_log_appended_bytes_total", "Appended.", log.appendedBytes())
        .counter("pensieve_log_forces_total", "Forces of the log's file.", log.forces())
        .summary(
            "pensieve_log_force_seconds",
            "How long these forces took.",
            log.forces(),
            log.forceTime().toNanos() / NANOS_PER_SECOND)
        .gauge(
            "pensieve_log_longest_force_seconds",
            "How long the longest of these forces took.",
            log.longestForce().toNanos() / NANOS_PER_SECOND)
        .gauge("pensieve_log_waiting_bytes", "Appended and not written yet.", log.waitingBytes())
        .gauge("pensieve_log_base_bytes", "The entries that the log begins with.", log.baseBytes())
        .gauge("pensieve_log_changes_bytes", "The changes since then.", log.logBytes());
    out.counter(
        "pensieve_log_compactions_total",
        "Compactions, by how they ended.",
        List.of(
            Sample.of(log.compactions(), "result", "success"),
            Sample.of(log.failedCompactions(), "result", "failure")));
    out.gauge(
            "pensieve_log_last_compaction_seconds",
            "How long the last compaction took that has succeeded.",
            log.lastCompaction().toNanos() / NANOS_PER_SECOND)
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

  private void addAlarms(MetricFamilies out) {
    List<Alarms.ActiveAlarm> raised = alarms.raised();
    out.gauge(
        "pensieve_alarm",
        "How many alarms of a kind are raised.",
        Stream.of(Alarms.Kind.values())
            .map(kind -> Sample.of(count(kind, raised), "alarm", kind.title()))
            .toList());
  }

  private static long count(Alarms.Kind kind, List<Alarms.ActiveAlarm> raised) {
    return raised.stream().filter(alarm -> alarm.kind() == kind).count();
  }

  private void addPeers(MetricFamilies out) {
    List<Cluster.Peer> peers = cluster.peers();
    out.gauge(
            "pensieve_peer_phi",
            "How strongly a peer is suspected.",
            peers.stream().map(peer -> ofPeer(peer.phi(), peer)).toList())
        .gauge(
            "pensieve_peer_alive",
            "1 if a peer is alive.",
            peers.stream()
                .map(peer -> ofPeer(peer.state().equals("alive") ? 1 : 0, peer))
                .toList());
  }

  private static Sample ofPeer(Number value, Cluster.Peer peer) {
    return Sample.of(value, "peer", peer.url().toString());
  }
}
