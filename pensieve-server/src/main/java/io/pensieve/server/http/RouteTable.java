package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.pensieve.server.http.access.Role;
import io.pensieve.server.http.admin.Administration;
import io.pensieve.server.http.admin.BackupRoute;
import io.pensieve.server.http.admin.SettingsRoute;
import io.pensieve.server.http.changes.ChangeHub;
import io.pensieve.server.http.changes.LongPolls;
import io.pensieve.server.http.changes.WatchRoute;
import io.pensieve.server.http.json.ProblemType;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.metrics.RequestMetrics;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.replication.LeaderGate;
import io.pensieve.server.http.replication.Replication;
import io.pensieve.server.http.replication.ServedBy;
import io.pensieve.server.http.transport.InFlightRequests;
import io.pensieve.server.http.transport.Permits;
import io.pensieve.server.http.transport.Route;
import io.pensieve.server.http.ui.UiRoutes;
import io.pensieve.server.http.value.HeapShares;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.http.value.WaitLimits;
import io.undertow.util.HttpString;
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
  private static final InstantSource CLOCK = InstantSource.system();

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
      Administration administration,
      Optional<LeaderGate> gate,
      Optional<ReplicationMetrics> replicationMetrics) {
    WaitLimits waits = limits.waits();
    hub = new ChangeHub(map);
    polls =
        new LongPolls(
            map,
            hub,
            waits,
            new Permits(waits.pollsMax(), ProblemType.TOO_MANY_POLLS, inFlight),
            CLOCK);
    watch =
        new WatchRoute(
            map,
            hub,
            waits,
            new Permits(waits.watchersMax(), ProblemType.TOO_MANY_WATCHERS, inFlight),
            HeapShares.ofProcess().historyBytes() / limits.logEntryBytesMax());
    Optional<Replication> replication = gate.map(LeaderGate::replication);
    MetricsRoute metrics =
        new MetricsRoute(
            map, cluster, meters, inFlight, polls, watch, limits, alarms, replicationMetrics);
    StatusRoute status =
        new StatusRoute(map, limits, guarantee, polls, watch, alarms, gate.isPresent());
    routes =
        Stream.of(
                entryRoutes(limits, guarantee, map, new IdempotentWrites(replication)),
                nodeRoutes(cluster, replication),
                monitoringRoutes(
                    new HealthRoutes(map, inFlight::isDraining, replication), status, metrics),
                operatorRoutes(map, administration, inFlight),
                ui ? uiRoutes() : List.<Route>of())
            .flatMap(List::stream)
            .toList();
  }

  private List<Route> entryRoutes(
      SizeLimits limits,
      DurabilityGuarantee guarantee,
      Pensieve<String, StoredValue> map,
      IdempotentWrites writes) {
    TextRoutes texts = new TextRoutes(map, limits, guarantee.readsMayWait(), writes);
    EntryRoutes entries = new EntryRoutes(map, limits, guarantee, polls, CLOCK, writes);
    TouchRoutes touches = new TouchRoutes(map, limits, guarantee, CLOCK, writes, entries);
    IncrementRoute increment = new IncrementRoute(map, limits, writes);
    BatchRoute batch = new BatchRoute(map, limits, CLOCK, writes);
    MultiGetRoute multiGet = new MultiGetRoute(map, limits, CLOCK);
    KeyRoutes keys = new KeyRoutes(map);
    return List.of(
        read("/get/{key}", texts::get),
        write(Methods.POST, "/put", texts::put),
        write(Methods.DELETE, "/delete/{key}", texts::delete),
        read("/v1/kv/{key}", entries::get)
            .with(new Route.Variant(TouchRoutes.TOUCH, Role.WRITE, ServedBy.LEADER, touches::get)),
        write(Methods.PUT, "/v1/kv/{key}", entries::put),
        write(Methods.DELETE, "/v1/kv/{key}", entries::delete),
        write(Methods.POST, "/v1/incr/{key}", increment::post),
        write(Methods.POST, "/v1/touch/{key}", touches::post),
        write(Methods.POST, "/v1/batch", batch::post),
        read("/v1/mget", multiGet::get),
        read("/v1/keys", keys::keys),
        new Route(Methods.DELETE, "/v1/keys", Role.ADMIN, ServedBy.LEADER, keys::delete),
        read("/v1/count", keys::count));
  }

  private static Route read(String template, Route.Endpoint endpoint) {
    return new Route(Methods.GET, template, Role.READ, ServedBy.CAUGHT_UP_NODE, endpoint);
  }

  private static Route read(String template, Route.KeyEndpoint endpoint) {
    return new Route(Methods.GET, template, Role.READ, ServedBy.CAUGHT_UP_NODE, endpoint);
  }

  private static Route write(HttpString method, String template, Route.Endpoint endpoint) {
    return new Route(method, template, Role.WRITE, ServedBy.LEADER, endpoint);
  }

  private static Route write(HttpString method, String template, Route.KeyEndpoint endpoint) {
    return new Route(method, template, Role.WRITE, ServedBy.LEADER, endpoint);
  }

  private static List<Route> nodeRoutes(Cluster cluster, Optional<Replication> replication) {
    ClusterRoutes nodes = new ClusterRoutes(cluster, replication);
    ReplicationRoutes members = new ReplicationRoutes(replication);
    return List.of(
        new Route(
            Methods.POST, "/internal/heartbeat", Role.PEER, ServedBy.ANY_NODE, nodes::heartbeat),
        new Route(Methods.GET, "/internal/node", Role.PEER, ServedBy.ANY_NODE, members::card),
        new Route(Methods.GET, "/cluster", Role.READ, ServedBy.ANY_NODE, nodes::cluster),
        new Route(Methods.GET, "/v1/cluster", Role.READ, ServedBy.ANY_NODE, nodes::cluster),
        change("/v1/cluster/transfer", members::transfer),
        change("/v1/cluster/add", members::add),
        change("/v1/cluster/remove", members::remove),
        change("/v1/cluster/replace", members::replace));
  }

  private static Route change(String template, Route.Endpoint endpoint) {
    return new Route(Methods.POST, template, Role.ADMIN, ServedBy.LEADER, endpoint);
  }

  private List<Route> monitoringRoutes(
      HealthRoutes health, StatusRoute status, MetricsRoute metrics) {
    return List.of(
        new Route(Methods.GET, "/livez", Role.ANYONE, ServedBy.ANY_NODE, health::live),
        new Route(Methods.GET, "/readyz", Role.ANYONE, ServedBy.ANY_NODE, health::ready),
        new Route(Methods.GET, "/metrics", Role.READ, ServedBy.ANY_NODE, metrics::scrape),
        new Route(Methods.GET, "/v1/status", Role.READ, ServedBy.ANY_NODE, status::get),
        new Route(Methods.GET, "/v1/watch", Role.READ, ServedBy.ANY_NODE, watch::watch),
        new Route(
            Methods.GET, "/openapi.json", Role.ANYONE, ServedBy.ANY_NODE, new OpenApiRoute()::get));
  }

  private static List<Route> operatorRoutes(
      Pensieve<String, StoredValue> map, Administration administration, InFlightRequests inFlight) {
    BackupRoute backup =
        new BackupRoute(
            map, administration.copies(), new Permits(1, ProblemType.TOO_MANY_BACKUPS, inFlight));
    return List.of(
        new Route(Methods.GET, "/v1/backup", Role.ADMIN, ServedBy.ANY_NODE, backup::get),
        new Route(
            Methods.PATCH,
            "/v1/settings",
            Role.ADMIN,
            ServedBy.ANY_NODE,
            new SettingsRoute(administration.capacity())::patch));
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
