package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.pensieve.log.Durability;
import io.undertow.server.handlers.HttpContinueReadHandler;
import io.undertow.util.Methods;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/** Serves a map and a view of the other nodes over HTTP. Owns neither of them. */
public final class HttpServer implements AutoCloseable {
  // Requests are counted, then their exceptions answered, then 100-continue, then the route. The
  // mapping of exceptions is under everything that dispatches.

  private final Listening listening;
  private final InFlight inFlight;
  private final V1 v1;
  private final List<Route> routes;
  private final Duration drainDeadline;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * How a server behaves.
   *
   * @param address where it listens; port 0 picks a free one
   * @param limits how large keys and values may be
   * @param access who may do what
   * @param durability what the map's log promises of a write; empty for no log
   * @param traffic how many clients there is time for, and for how long
   * @param tls what it shows of itself; empty for HTTP without TLS
   * @param accessLog is told of every answer
   */
  public record Settings(
      InetSocketAddress address,
      Limits limits,
      Access access,
      Optional<Durability> durability,
      Traffic traffic,
      Optional<Tls> tls,
      AccessLog accessLog) {

    /** Default limits, open to anyone, a map without a log, no TLS. */
    public static Settings on(InetSocketAddress address) {
      return new Settings(
          address,
          Limits.defaults(),
          Access.open(),
          Optional.empty(),
          Traffic.defaults(),
          Optional.empty(),
          AccessLog.none());
    }
  }

  private HttpServer(
      Settings settings, Pensieve<String, StoredValue> memories, Cluster cluster, Alarms alarms)
      throws IOException {
    drainDeadline = settings.traffic().drainDeadline();
    inFlight = new InFlight(settings.traffic().requestsMax());
    v1 = new V1(settings, memories, cluster, inFlight, alarms);
    RequestMeters meters = new RequestMeters(settings.accessLog());
    routes = routes(settings, memories, cluster, inFlight, meters, v1, alarms);
    RequestHead head = new RequestHead(settings.limits());
    Router router = new Router(routes, head, settings.access(), meters, inFlight);
    listening =
        new Listening(
            settings,
            inFlight.counted(
                new KeepAlive(
                    settings.traffic().silenceMax(),
                    new HttpContinueReadHandler(Failures.mapped(router)))));
  }

  /**
   * Starts to listen.
   *
   * @throws IOException if the address cannot be listened on; nothing is left open then
   */
  public static HttpServer start(
      Settings settings, Pensieve<String, StoredValue> memories, Cluster cluster)
      throws IOException {
    return start(settings, memories, cluster, Alarms.untold());
  }

  /**
   * The same, which shows these alarms.
   *
   * @throws IOException if the address cannot be listened on; nothing is left open then
   */
  public static HttpServer start(
      Settings settings, Pensieve<String, StoredValue> memories, Cluster cluster, Alarms alarms)
      throws IOException {
    return new HttpServer(settings, memories, cluster, alarms);
  }

  /** The table of routes; only this and that of {@link V1} know URLs. */
  private static List<Route> routes(
      Settings settings,
      Pensieve<String, StoredValue> memories,
      Cluster cluster,
      InFlight inFlight,
      RequestMeters meters,
      V1 v1,
      Alarms alarms) {
    Health health = new Health(memories, inFlight::isDraining);
    Metrics metrics =
        new Metrics(memories, cluster, meters, inFlight, v1, settings.limits(), alarms);
    boolean readsMayWait = new Promise(settings.durability()).readsMayWait();
    Memories texts = new Memories(memories, settings.limits(), readsMayWait);
    Heartbeats nodes = new Heartbeats(cluster);
    Stream<Route> others =
        Stream.of(
            new Route(Methods.GET, "/get/{key}", Role.READ, texts::get),
            new Route(Methods.POST, "/put", Role.WRITE, texts::put),
            new Route(Methods.DELETE, "/delete/{key}", Role.WRITE, texts::delete),
            new Route(Methods.POST, "/internal/heartbeat", Role.PEER, nodes::beat),
            new Route(Methods.GET, "/cluster", Role.READ, nodes::view),
            new Route(Methods.GET, "/livez", Role.ANYONE, health::live),
            new Route(Methods.GET, "/readyz", Role.ANYONE, health::ready),
            new Route(Methods.GET, "/metrics", Role.READ, metrics::scrape));
    return Stream.concat(others, v1.routes().stream()).toList();
  }

  /** Where it listens, with the port that was picked. */
  public InetSocketAddress address() {
    return listening.address();
  }

  /** What it answers. */
  List<Route> routes() {
    return routes;
  }

  V1 v1() {
    return v1;
  }

  /** Whether it answers, but will close soon. */
  boolean isDraining() {
    return inFlight.isDraining();
  }

  /** How many requests are being answered. */
  long requestsInFlight() {
    return inFlight.requests();
  }

  /** How many of them count against the limit of requests. */
  long requestsAdmitted() {
    return inFlight.admitted();
  }

  /**
   * Stops to accept connections, waits for the requests in flight to be answered, at most for the
   * drain deadline, and closes all connections. A second call does nothing.
   */
  @Override
  public void close() {
    if (closed.getAndSet(true)) {
      return;
    }
    // Before the address is let go: whoever sees that nobody listens gets the last answer there.
    inFlight.startDraining();
    listening.stopAccepting();
    v1.drain();
    try {
      inFlight.awaitDrained(drainDeadline);
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
    v1.close();
    listening.close();
  }
}
