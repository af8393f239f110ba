package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.undertow.util.Methods;
import java.time.InstantSource;
import java.util.List;

/** The routes below {@code /v1}, and what waits behind them for changes. */
final class V1 implements AutoCloseable {
  private final ChangeHub hub;
  private final LongPolls polls;
  private final Watching watching;
  private final List<Route> routes;

  V1(
      HttpServer.Settings settings,
      Pensieve<String, StoredValue> memories,
      ChangeHub.Source changes,
      Cluster cluster) {
    Limits limits = settings.limits();
    Promise promise = new Promise(settings.durability());
    InstantSource clock = InstantSource.system();
    hub = new ChangeHub(changes);
    polls = new LongPolls(memories, hub, limits.waiting(), promise.readsMayWait(), clock);
    watching = new Watching(hub, changes, limits.waiting());
    Entries entries = new Entries(memories, limits, promise, polls, clock);
    Increments increments = new Increments(memories, limits);
    Batches batches = new Batches(memories, limits, clock);
    Heartbeats nodes = new Heartbeats(cluster);
    routes =
        List.of(
            new Route(Methods.GET, "/v1/kv/{key}", Role.READ, entries::get),
            new Route(Methods.PUT, "/v1/kv/{key}", Role.WRITE, entries::put),
            new Route(Methods.DELETE, "/v1/kv/{key}", Role.WRITE, entries::delete),
            new Route(Methods.POST, "/v1/incr/{key}", Role.WRITE, increments::post),
            new Route(Methods.POST, "/v1/batch", Role.WRITE, batches::post),
            new Route(Methods.GET, "/v1/watch", Role.READ, watching::watch),
            new Route(Methods.GET, "/v1/cluster", Role.READ, nodes::view));
  }

  List<Route> routes() {
    return routes;
  }

  /** How many requests wait for an entry to change. */
  int pollsParked() {
    return polls.parked();
  }

  /** How many clients watch. */
  int watchers() {
    return watching.watchers();
  }

  /** Answers all who wait, now and from now on, so that nobody waits for them. */
  void drain() {
    polls.drain();
    watching.drain();
  }

  /** Ends the thread that reads changes. */
  @Override
  public void close() {
    hub.close();
  }
}
