package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.pensieve.log.Durability;
import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.access.Role;
import io.pensieve.server.http.metrics.AccessLog;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.metrics.RequestMetrics;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.KeepAliveHandler;
import io.pensieve.server.http.protocol.RequestHead;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.transport.ConnectionLimits;
import io.pensieve.server.http.transport.HttpListener;
import io.pensieve.server.http.transport.InFlightRequests;
import io.pensieve.server.http.transport.ReloadableTls;
import io.pensieve.server.http.transport.Route;
import io.pensieve.server.http.transport.Router;
import io.pensieve.server.http.value.StoredValue;
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

  private final HttpListener listener;
  private final InFlightRequests inFlight;
  private final V1Routes v1Routes;
  private final List<Route> routes;
  private final Duration drainDeadline;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * How a server behaves.
   *
   * @param address where it listens; port 0 picks a free one
   * @param limits how large keys and values may be
   * @param authorizer who may do what
   * @param durability what the map's log promises of a write; empty for no log
   * @param connections how many clients there is time for, and for how long
   * @param tls what it shows of itself; empty for HTTP without TLS
   * @param accessLog is told of every answer
   */
  public record Settings(
      InetSocketAddress address,
      SizeLimits limits,
      Authorizer authorizer,
      Optional<Durability> durability,
      ConnectionLimits connections,
      Optional<ReloadableTls> tls,
      AccessLog accessLog) {

    /** Default limits, open to anyone, a map without a log, no TLS. */
    public static Settings on(InetSocketAddress address) {
      return new Settings(
          address,
          SizeLimits.defaults(),
          Authorizer.open(),
          Optional.empty(),
          ConnectionLimits.defaults(),
          Optional.empty(),
          AccessLog.none());
    }
  }

  private HttpServer(
      Settings settings, Pensieve<String, StoredValue> map, Cluster cluster, Alarms alarms)
      throws IOException {
    drainDeadline = settings.connections().drainDeadline();
    inFlight = new InFlightRequests(settings.connections().requestsMax());
    v1Routes =
        new V1Routes(
            settings.limits(),
            new DurabilityGuarantee(settings.durability()),
            map,
            cluster,
            inFlight,
            alarms);
    RequestMetrics meters = new RequestMetrics(settings.accessLog());
    routes = routes(settings, map, cluster, inFlight, meters, v1Routes, alarms);
    RequestHead head = new RequestHead(settings.limits());
    Router router = new Router(routes, head, settings.authorizer(), meters, inFlight);
    listener =
        new HttpListener(
            new HttpListener.Settings(
                settings.address(), settings.limits(), settings.connections(), settings.tls()),
            inFlight.counted(
                new KeepAliveHandler(
                    settings.connections().silenceMax(),
                    new HttpContinueReadHandler(ExceptionMapper.mapped(router)))));
  }

  /**
   * Starts to listen.
   *
   * @throws IOException if the address cannot be listened on; nothing is left open then
   */
  public static HttpServer start(
      Settings settings, Pensieve<String, StoredValue> map, Cluster cluster) throws IOException {
    return start(settings, map, cluster, Alarms.silent());
  }

  /**
   * The same, which shows these alarms.
   *
   * @throws IOException if the address cannot be listened on; nothing is left open then
   */
  public static HttpServer start(
      Settings settings, Pensieve<String, StoredValue> map, Cluster cluster, Alarms alarms)
      throws IOException {
    return new HttpServer(settings, map, cluster, alarms);
  }

  /** The table of routes; only this and that of {@link V1Routes} know URLs. */
  private static List<Route> routes(
      Settings settings,
      Pensieve<String, StoredValue> map,
      Cluster cluster,
      InFlightRequests inFlight,
      RequestMetrics meters,
      V1Routes v1Routes,
      Alarms alarms) {
    HealthRoutes healthRoutes = new HealthRoutes(map, inFlight::isDraining);
    MetricsRoute metricsRoute =
        new MetricsRoute(map, cluster, meters, inFlight, v1Routes, settings.limits(), alarms);
    boolean readsMayWait = new DurabilityGuarantee(settings.durability()).readsMayWait();
    TextRoutes texts = new TextRoutes(map, settings.limits(), readsMayWait);
    ClusterRoutes nodes = new ClusterRoutes(cluster);
    Stream<Route> others =
        Stream.of(
            new Route(Methods.GET, "/get/{key}", Role.READ, texts::get),
            new Route(Methods.POST, "/put", Role.WRITE, texts::put),
            new Route(Methods.DELETE, "/delete/{key}", Role.WRITE, texts::delete),
            new Route(Methods.POST, "/internal/heartbeat", Role.PEER, nodes::heartbeat),
            new Route(Methods.GET, "/cluster", Role.READ, nodes::cluster),
            new Route(Methods.GET, "/livez", Role.ANYONE, healthRoutes::live),
            new Route(Methods.GET, "/readyz", Role.ANYONE, healthRoutes::ready),
            new Route(Methods.GET, "/metrics", Role.READ, metricsRoute::scrape));
    return Stream.concat(others, v1Routes.routes().stream()).toList();
  }

  /** Where it listens, with the port that was picked. */
  public InetSocketAddress address() {
    return listener.address();
  }

  /** What it answers. */
  List<Route> routes() {
    return routes;
  }

  V1Routes v1Routes() {
    return v1Routes;
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
    listener.stopAccepting();
    v1Routes.drain();
    try {
      inFlight.awaitDrained(drainDeadline);
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
    v1Routes.close();
    listener.close();
  }
}
