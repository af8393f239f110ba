package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.pensieve.server.http.access.Role;
import io.pensieve.server.http.changes.ChangeHub;
import io.pensieve.server.http.changes.LongPolls;
import io.pensieve.server.http.changes.WatchRoute;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.metrics.RequestMetrics;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.replication.LeaderGate;
import io.pensieve.server.http.replication.ServedBy;
import io.pensieve.server.http.transport.InFlightRequests;
import io.pensieve.server.http.transport.Permits;
import io.pensieve.server.http.transport.Route;
import io.pensieve.server.http.ui.UiRoutes;
import io.pensieve.server.http.value.HeapShares;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.http.value.WaitLimits;
import io.undertow.util.Methods;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The table of all routes, with the long polls and watchers behind them. Only this table knows
 * URLs.
 */
final class RouteTable implements AutoCloseable {
  private final ChangeHub hub;
  private final LongPolls polls;
  private final WatchRoute watch;
  private final List<Route> routes;

  RouteTable(
      SizeLimits limits,
      DurabilityGuarantee guarantee,
      Pensieve<String, StoredValue> map,
      Cluster cluster,
      InFlightRequests inFlight,
      RequestMetrics meters,
      Alarms alarms,
      boolean ui,
      Optional<LeaderGate> gate) {
    InstantSource clock = InstantSource.system();
    WaitLimits waits = limits.waits();
    hub = new ChangeHub(map);
    polls =
        new LongPolls(
            map,
            hub,
            waits,
            new Permits(waits.pollsMax(), ProblemType.TOO_MANY_POLLS, inFlight),
            clock);
    watch =
        new WatchRoute(
            map,
            hub,
            waits,
            new Permits(waits.watchersMax(), ProblemType.TOO_MANY_WATCHERS, inFlight),
            HeapShares.ofProcess().historyBytes() / limits.logEntryBytesMax());
    List<Route> forPrograms =
        routes(limits, guarantee, map, cluster, inFlight, meters, alarms, clock);
    routes = ui ? Stream.concat(forPrograms.stream(), uiRoutes().stream()).toList() : forPrograms;
  }

  private List<Route> routes(
      SizeLimits limits,
      DurabilityGuarantee guarantee,
      Pensieve<String, StoredValue> map,
      Cluster cluster,
      InFlightRequests inFlight,
      RequestMetrics meters,
      Alarms alarms,
      InstantSource clock) {
    EntryRoutes entryRoutes = new EntryRoutes(map, limits, guarantee, polls, clock);
    IncrementRoute incrementRoute = new IncrementRoute(map, limits);
    BatchRoute batchRoute = new BatchRoute(map, limits, clock);
    KeyRoutes keyRoutes = new KeyRoutes(map);
    StatusRoute status = new StatusRoute(map, limits, guarantee, polls, watch, alarms);
    ClusterRoutes nodes = new ClusterRoutes(cluster);
    TextRoutes texts = new TextRoutes(map, limits, guarantee.readsMayWait());
    HealthRoutes health = new HealthRoutes(map, inFlight::isDraining);
    MetricsRoute metrics =
        new MetricsRoute(map, cluster, meters, inFlight, polls, watch, limits, alarms);
    return List.of(
        new Route(Methods.GET, "/get/{key}", Role.READ, ServedBy.CAUGHT_UP_NODE, texts::get),
        new Route(Methods.POST, "/put", Role.WRITE, ServedBy.LEADER, texts::put),
        new Route(Methods.DELETE, "/delete/{key}", Role.WRITE, ServedBy.LEADER, texts::delete),
        new Route(
            Methods.POST, "/internal/heartbeat", Role.PEER, ServedBy.ANY_NODE, nodes::heartbeat),
        new Route(Methods.GET, "/cluster", Role.READ, ServedBy.ANY_NODE, nodes::cluster),
        new Route(Methods.GET, "/livez", Role.ANYONE, ServedBy.ANY_NODE, health::live),
        new Route(Methods.GET, "/readyz", Role.ANYONE, ServedBy.ANY_NODE, health::ready),
        new Route(Methods.GET, "/metrics", Role.READ, ServedBy.ANY_NODE, metrics::scrape),
        new Route(
            Methods.GET, "/v1/kv/{key}", Role.READ, ServedBy.CAUGHT_UP_NODE, entryRoutes::get),
        new Route(Methods.PUT, "/v1/kv/{key}", Role.WRITE, ServedBy.LEADER, entryRoutes::put),
        new Route(Methods.DELETE, "/v1/kv/{key}", Role.WRITE, ServedBy.LEADER, entryRoutes::delete),
        new Route(
            Methods.POST, "/v1/incr/{key}", Role.WRITE, ServedBy.LEADER, incrementRoute::post),
        new Route(Methods.POST, "/v1/batch", Role.WRITE, ServedBy.LEADER, batchRoute::post),
        new Route(Methods.GET, "/v1/keys", Role.READ, ServedBy.CAUGHT_UP_NODE, keyRoutes::keys),
        new Route(Methods.GET, "/v1/count", Role.READ, ServedBy.CAUGHT_UP_NODE, keyRoutes::count),
        new Route(Methods.GET, "/v1/status", Role.READ, ServedBy.ANY_NODE, status::get),
        new Route(Methods.GET, "/v1/watch", Role.READ, ServedBy.ANY_NODE, watch::watch),
        new Route(Methods.GET, "/v1/cluster", Role.READ, ServedBy.ANY_NODE, nodes::cluster),
        new Route(
            Methods.GET, "/openapi.json", Role.ANYONE, ServedBy.ANY_NODE, new OpenApiRoute()::get));
  }

  private static List<Route> uiRoutes() {
    UiRoutes page = new UiRoutes();
    return List.of(
        new Route(Methods.GET, "/", Role.ANYONE, ServedBy.ANY_NODE, page::root),
        new Route(Methods.GET, "/ui", Role.ANYONE, ServedBy.ANY_NODE, page::redirect),
        new Route(Methods.GET, "/ui/{file}", Role.ANYONE, ServedBy.ANY_NODE, page::file));
  }

  List<Route> routes() {
    return routes;
  }

  /** Returns how many long polls are waiting. */
  int pollsParked() {
    return polls.parked();
  }

  /** Returns how many clients watch. */
  int watchers() {
    return watch.watchers();
  }

  /** Returns how many watchers have caught up and receive live changes. */
  int watchersCaughtUp() {
    return hub.subscribers();
  }

  /**
   * Completes all long polls and streams, now and from now on, so that a shutdown does not wait.
   */
  void drain() {
    polls.drain();
    watch.drain();
  }

  /** Ends the thread that reads changes. */
  @Override
  public void close() {
    hub.close();
  }
}
