package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.undertow.util.Methods;
import java.time.InstantSource;
import java.util.List;

/** The routes below {@code /v1} with their description, and what waits behind them for changes. */
final class V1 implements AutoCloseable {
  private final ChangeHub hub;
  private final LongPolls polls;
  private final Watching watching;
  private final List<Route> routes;

  V1(
      HttpServer.Settings settings,
      Pensieve<String, StoredValue> memories,
      Cluster cluster,
      InFlight inFlight,
      Alarms alarms) {
    Limits limits = settings.limits();
    Promise promise = new Promise(settings.durability());
    InstantSource clock = InstantSource.system();
    Waiting waiting = limits.waiting();
    hub = new ChangeHub(memories);
    polls =
        new LongPolls(
            memories,
            hub,
            waiting,
            new Places(waiting.pollsMax(), Problem.TOO_MANY_POLLS, inFlight),
            clock);
    watching =
        new Watching(
            memories,
            hub,
            waiting,
            new Places(waiting.watchersMax(), Problem.TOO_MANY_WATCHERS, inFlight),
            HeapShares.ofProcess().historyBytes() / limits.logEntryBytesMax());
    Entries entries = new Entries(memories, limits, promise, polls, clock);
    Increments increments = new Increments(memories, limits);
    Batches batches = new Batches(memories, limits, clock);
    Listings listings = new Listings(memories);
    StatusRoute status = new StatusRoute(memories, limits, promise, polls, watching, alarms);
    Heartbeats nodes = new Heartbeats(cluster);
    routes =
        List.of(
            new Route(Methods.GET, "/v1/kv/{key}", Role.READ, entries::get),
            new Route(Methods.PUT, "/v1/kv/{key}", Role.WRITE, entries::put),
            new Route(Methods.DELETE, "/v1/kv/{key}", Role.WRITE, entries::delete),
            new Route(Methods.POST, "/v1/incr/{key}", Role.WRITE, increments::post),
            new Route(Methods.POST, "/v1/batch", Role.WRITE, batches::post),
            new Route(Methods.GET, "/v1/keys", Role.READ, listings::keys),
            new Route(Methods.GET, "/v1/count", Role.READ, listings::count),
            new Route(Methods.GET, "/v1/status", Role.READ, status::get),
            new Route(Methods.GET, "/v1/watch", Role.READ, watching::watch),
            new Route(Methods.GET, "/v1/cluster", Role.READ, nodes::view),
            new Route(Methods.GET, "/openapi.json", Role.ANYONE, new OpenApi()::get));
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

  /** How many of them have caught up, and are told changes as they are made. */
  int watchersCaughtUp() {
    return hub.subscribers();
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
