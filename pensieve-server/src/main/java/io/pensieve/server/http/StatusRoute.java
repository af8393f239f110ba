package io.pensieve.server.http;

import com.google.gson.stream.JsonWriter;
import io.pensieve.Pensieve;
import io.pensieve.Statistics;
import io.pensieve.log.LogStatistics;
import io.pensieve.server.http.changes.LongPolls;
import io.pensieve.server.http.changes.WatchRoute;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.protocol.JsonResponses;
import io.pensieve.server.http.protocol.QueryParameters;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.value.StoredValue;
import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.lang.management.ManagementFactory;

/** The route that returns the server's status. */
final class StatusRoute {
  private final Pensieve<String, StoredValue> map;
  private final SizeLimits limits;
  private final DurabilityGuarantee guarantee;
  private final LongPolls polls;
  private final WatchRoute watch;
  private final Alarms alarms;
  private final boolean replicates;

  StatusRoute(
      Pensieve<String, StoredValue> map,
      SizeLimits limits,
      DurabilityGuarantee guarantee,
      LongPolls polls,
      WatchRoute watch,
      Alarms alarms,
      boolean replicates) {
    this.map = map;
    this.limits = limits;
    this.guarantee = guarantee;
    this.polls = polls;
    this.watch = watch;
    this.alarms = alarms;
    this.replicates = replicates;
  }

  void get(HttpServerExchange exchange) {
    QueryParameters.requireNone(exchange);
    String version = StatusRoute.class.getPackage().getImplementationVersion();
    Statistics statistics = map.statistics();
    LogStatistics log = statistics.log();
    JsonResponses.object(
        exchange,
        json -> {
          json.name("version").value(version == null ? "unknown" : version);
          json.name("uptime_ms").value(ManagementFactory.getRuntimeMXBean().getUptime());
          json.name("durability").value(guarantee.level());
          json.name("replicates").value(replicates);
          json.name("entries").value(statistics.entries());
          json.name("entries_max").value(map.maximumEntries());
          json.name("weight_bytes").value(statistics.weight());
          json.name("weight_bytes_max").value(limits.capacityBytes());
          json.name("polls").value(polls.parked());
          json.name("watchers").value(watch.watchers());
          write(json);
          json.name("log").beginObject();
          json.name("base_bytes").value(log.baseBytes());
          json.name("changes_bytes").value(log.logBytes());
          json.name("waiting_bytes").value(log.waitingBytes());
          json.name("forces").value(log.forces());
          json.name("compactions").value(log.compactions());
          json.name("failed_compactions").value(log.failedCompactions());
          json.name("free_bytes").value(log.freeBytes());
          json.name("reserve_bytes").value(log.reserveBytes());
          json.endObject();
        });
  }

  private void write(JsonWriter json) throws IOException {
    json.name("alarms").beginArray();
    for (Alarms.ActiveAlarm alarm : alarms.raised()) {
      json.beginObject();
      json.name("alarm").value(alarm.kind().title());
      if (!alarm.subject().isEmpty()) {
        json.name("subject").value(alarm.subject());
      }
      json.name("reason").value(alarm.reason());
      json.name("since_ms").value(alarm.sinceMillis());
      json.endObject();
    }
    json.endArray();
  }
}
