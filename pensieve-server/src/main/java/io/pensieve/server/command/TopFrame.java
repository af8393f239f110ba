package io.pensieve.server.command;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.pensieve.server.client.MetricsReading;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;

/** What {@code top} shows at one moment: the state now, and rates since the frame before. */
final class TopFrame {
  private static final int BAR_CHARACTERS = 20;
  private static final double MIB = 1 << 20;
  private static final double MEDIAN = 0.5;
  private static final double P99 = 0.99;
  private static final double MILLIS = 1000;

  private final JsonObject status;
  private final JsonObject cluster;
  private final MetricsReading before;
  private final MetricsReading now;
  private final double seconds;

  /**
   * Creates a frame.
   *
   * @param status what {@code /v1/status} tells
   * @param cluster what {@code /v1/cluster} tells
   * @param seconds the time between the two readings
   */
  TopFrame(
      JsonObject status,
      JsonObject cluster,
      MetricsReading before,
      MetricsReading now,
      double seconds) {
    this.status = status;
    this.cluster = cluster;
    this.before = before;
    this.now = now;
    this.seconds = seconds;
  }

  private double grown(String name) {
    return now.sum(name) - before.sum(name);
  }

  private double perSecond(String name) {
    return grown(name) / seconds;
  }

  private double hits() {
    return now.hits() - before.hits();
  }

  /** Returns the share of reads that were hits; NaN if there was no read. */
  private double hitRatio() {
    return hits() / grown("cache_gets_total");
  }

  private static String percent(double share) {
    return Double.isNaN(share) ? "-" : String.format(Locale.ROOT, "%.1f %%", 100 * share);
  }

  private static String mebibytes(double bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / MIB);
  }

  private static String mebibytes(long bytes) {
    return mebibytes((double) bytes);
  }

  private static String rate(double perSecond) {
    return String.format(Locale.ROOT, "%.0f/s", perSecond);
  }

  private long number(String name) {
    return status.get(name).getAsLong();
  }

  private static String bar(long part, long all) {
    return bar((double) part, (double) all);
  }

  private static String bar(double part, double all) {
    long filled = all <= 0 ? 0 : Math.round(Math.min(1, part / all) * BAR_CHARACTERS);
    return "[" + "#".repeat((int) filled) + ".".repeat(BAR_CHARACTERS - (int) filled) + "]";
  }

  /** Returns all of it, a line each. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            "pensieve %s, up %d s, %s%s",
            status.get("version").getAsString(),
            number("uptime_ms") / (long) MILLIS,
            status.get("durability").getAsString(),
            role()));
    lines.add("");
    lines.add(
        String.format(
            "entries   %s %d of %d",
            bar(number("entries"), number("entries_max")),
            number("entries"),
            number("entries_max")));
    lines.add(
        String.format(
            "bytes     %s %s of %s",
            bar(number("weight_bytes"), number("weight_bytes_max")),
            mebibytes(number("weight_bytes")),
            mebibytes(number("weight_bytes_max"))));
    addHeap(lines);
    lines.add(
        String.format(
            "map       hits %s, gets %s, puts %s, evicted %s, expired %s",
            percent(hitRatio()),
            rate(perSecond("cache_gets_total")),
            rate(perSecond("cache_puts_total")),
            rate(perSecond("cache_evictions_total")),
            rate(perSecond("cache_expiries_total"))));
    addLog(lines);
    lines.add(
        String.format(
            Locale.ROOT,
            "clients   %.0f requests in flight, %d polls, %d watchers",
            now.sum("http_server_requests_in_flight"),
            number("polls"),
            number("watchers")));
    addRoutes(lines);
    addPeers(lines);
    addAlarms(lines);
    return lines;
  }

  private void addHeap(List<String> lines) {
    double heap = now.get("jvm_memory_used_bytes", "area=\"heap\"");
    double heapMax = now.get("jvm_memory_max_bytes", "area=\"heap\"");
    lines.add(
        String.format(
            "heap      %s %s of %s", bar(heap, heapMax), mebibytes(heap), mebibytes(heapMax)));
  }

  private String role() {
    return cluster.has("role") ? ", " + cluster.get("role").getAsString() : "";
  }

  private void addLog(List<String> lines) {
    JsonObject log = status.getAsJsonObject("log");
    double forces = grown("pensieve_log_force_seconds_count");
    String each =
        forces == 0
            ? ""
            : String.format(
                Locale.ROOT,
                " of %.2f ms",
                MILLIS * grown("pensieve_log_force_seconds_sum") / forces);
    lines.add(
        String.format(
            "log       %s of entries, %s of changes, %s free, forces %s%s",
            mebibytes(log.get("base_bytes").getAsLong()),
            mebibytes(log.get("changes_bytes").getAsLong()),
            mebibytes(log.get("free_bytes").getAsLong()),
            rate(forces / seconds),
            each));
  }

  private void addRoutes(List<String> lines) {
    lines.add("");
    lines.add(String.format("%-36s %12s %10s %10s", "route", "per second", "p50 ms", "p99 ms"));
    for (Map.Entry<String, NavigableMap<Double, Double>> route :
        now.requestsSince(before).entrySet()) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%-36s %12.0f %10.2f %10.2f",
              route.getKey(),
              route.getValue().lastEntry().getValue() / seconds,
              MILLIS * MetricsReading.quantile(MEDIAN, route.getValue()),
              MILLIS * MetricsReading.quantile(P99, route.getValue())));
    }
  }

  private void addPeers(List<String> lines) {
    for (JsonElement each : list(cluster, "peers")) {
      JsonObject peer = each.getAsJsonObject();
      lines.add(
          String.format(
              Locale.ROOT,
              "peer      %s %s, phi %.1f",
              peer.get("url").getAsString(),
              peer.get("state").getAsString(),
              peer.get("phi").getAsDouble()));
    }
  }

  private void addAlarms(List<String> lines) {
    for (JsonElement each : list(status, "alarms")) {
      JsonObject alarm = each.getAsJsonObject();
      lines.add(
          "ALARM     "
              + alarm.get("alarm").getAsString()
              + ": "
              + alarm.get("reason").getAsString());
    }
  }

  private static JsonArray list(JsonObject json, String name) {
    return json.has(name) ? json.getAsJsonArray(name) : new JsonArray();
  }

  /** Returns the most important of it in one line. */
  String line() {
    return String.format(
        "entries %d of %d, bytes %s, hits %s, gets %s, puts %s, evicted %s, alarms %d",
        number("entries"),
        number("entries_max"),
        mebibytes(number("weight_bytes")),
        percent(hitRatio()),
        rate(perSecond("cache_gets_total")),
        rate(perSecond("cache_puts_total")),
        rate(perSecond("cache_evictions_total")),
        list(status, "alarms").size());
  }

  /** Returns all of it for programs. */
  JsonObject json() {
    JsonObject json = new JsonObject();
    json.addProperty("seconds", seconds);
    json.add("status", status);
    json.add("cluster", cluster);
    if (!Double.isNaN(hitRatio())) {
      json.addProperty("hit_ratio", hitRatio());
    }
    json.addProperty("gets_per_second", perSecond("cache_gets_total"));
    json.addProperty("puts_per_second", perSecond("cache_puts_total"));
    json.addProperty("evictions_per_second", perSecond("cache_evictions_total"));
    json.addProperty("expiries_per_second", perSecond("cache_expiries_total"));
    JsonObject routes = new JsonObject();
    now.requestsSince(before)
        .forEach(
            (route, counts) -> {
              JsonObject one = new JsonObject();
              one.addProperty("per_second", counts.lastEntry().getValue() / seconds);
              one.addProperty("p50_ms", MILLIS * MetricsReading.quantile(MEDIAN, counts));
              one.addProperty("p99_ms", MILLIS * MetricsReading.quantile(P99, counts));
              routes.add(route, one);
            });
    json.add("routes", routes);
    return json;
  }
}
