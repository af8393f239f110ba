package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.pensieve.log.Durability;
import io.pensieve.server.http.access.Authorizer;
import io.pensieve.server.http.admin.Administration;
import io.pensieve.server.http.metrics.AccessLog;
import io.pensieve.server.http.metrics.Alarms;
import io.pensieve.server.http.metrics.DurationMetric;
import io.pensieve.server.http.metrics.RequestMetrics;
import io.pensieve.server.http.protocol.ExceptionMapper;
import io.pensieve.server.http.protocol.KeepAliveHandler;
import io.pensieve.server.http.protocol.RequestHead;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.replication.Forwarder;
import io.pensieve.server.http.replication.LeaderConnections;
import io.pensieve.server.http.replication.LeaderGate;
import io.pensieve.server.http.replication.Replication;
import io.pensieve.server.http.transport.ConnectionLimits;
import io.pensieve.server.http.transport.HttpListener;
import io.pensieve.server.http.transport.InFlightRequests;
import io.pensieve.server.http.transport.ReloadableTls;
import io.pensieve.server.http.transport.Router;
import io.pensieve.server.http.value.StoredValue;
import io.undertow.server.handlers.HttpContinueReadHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;

/** Serves a map and a view of the other nodes over HTTP. Closes neither of them. */
public final class HttpServer implements AutoCloseable {
  // The handlers nest in this order: count requests, keep-alive, 100-continue, map exceptions,
  // route. The exception mapper is innermost, below everything that dispatches.

  private final HttpListener listener;
  private final InFlightRequests inFlight;
  private final RouteTable routeTable;
  private final Optional<LeaderConnections> leaderConnections;
  private final Optional<LeaderGate> gate;
  private final Duration drainDeadline;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * The settings of a server.
   *
   * @param address where to listen; port 0 picks a free port
   * @param limits the size limits of keys and values
   * @param authorizer decides who may call which route
   * @param durability what the map's log guarantees for a write; empty for no log
   * @param connections the limits on connections, requests and silence
   * @param tls the server's certificate and key; empty for HTTP without TLS
   * @param accessLog receives every completed request
   * @param ui whether there is a page for people
   * @param administration what the routes for operators work with
   */
  public record Settings(
      InetSocketAddress address,
      SizeLimits limits,
      Authorizer authorizer,
      Optional<Durability> durability,
      ConnectionLimits connections,
      Optional<ReloadableTls> tls,
      AccessLog accessLog,
      boolean ui,
      Administration administration) {
    /** Returns a builder with the defaults of {@link Builder}. */
    public static Builder on(InetSocketAddress address) {
      return new Builder(address);
    }

    /**
     * Collects the settings of a server. By default it has the default limits and a page for
     * people, is open to anyone and without TLS, its map has no log and no administrator, and
     * nobody receives the completed requests. For one thread.
     */
    public static final class Builder {
      private final InetSocketAddress address;
      private SizeLimits limits = SizeLimits.defaults();
      private Authorizer authorizer = Authorizer.open();
      private Optional<Durability> durability = Optional.empty();
      private ConnectionLimits connections = ConnectionLimits.defaults();
      private Optional<ReloadableTls> tls = Optional.empty();
      private AccessLog accessLog = AccessLog.none();
      private boolean ui = true;
      private Administration administration = Administration.none();

      private Builder(InetSocketAddress address) {
        this.address = address;
      }

      /** The size limits of keys and values. */
      public Builder limits(SizeLimits limits) {
        this.limits = limits;
        return this;
      }

      /** Who may call which route. */
      public Builder authorizer(Authorizer authorizer) {
        this.authorizer = authorizer;
        return this;
      }

      /** What the map's log guarantees for a write; empty for no log. */
      public Builder durability(Optional<Durability> durability) {
        this.durability = durability;
        return this;
      }

      /** The limits on connections, requests and silence. */
      public Builder connections(ConnectionLimits connections) {
        this.connections = connections;
        return this;
      }

      /** The certificate and key; empty for HTTP without TLS. */
      public Builder tls(Optional<ReloadableTls> tls) {
        this.tls = tls;
        return this;
      }

      /** What receives every completed request. */
      public Builder accessLog(AccessLog accessLog) {
        this.accessLog = accessLog;
        return this;
      }

      /** Whether there is a page for people. */
      public Builder ui(boolean ui) {
        this.ui = ui;
        return this;
      }

      /** What the routes for operators work with. */
      public Builder administration(Administration administration) {
        this.administration = administration;
        return this;
      }

      /** Returns the settings. */
      public Settings build() {
        return new Settings(
            address,
            limits,
            authorizer,
            durability,
            connections,
            tls,
            accessLog,
            ui,
            administration);
      }
    }
  }

  /**
   * The cluster that a replicating server belongs to.
   *
   * @param replication what this node does in it
   * @param trust returns the context that decides which server is trusted to be a peer
   * @param commits how long commits take; filled by others
   * @param patience how long a request waits for a leader
   */
  public record Replicated(
      Replication replication,
      Supplier<SSLContext> trust,
      DurationMetric commits,
      Duration patience) {
    private static final Duration DEFAULT_PATIENCE = Duration.ofSeconds(5);

    /** Creates one whose requests wait 5 s for a leader. */
    public Replicated(Replication replication, Supplier<SSLContext> trust, DurationMetric commits) {
      this(replication, trust, commits, DEFAULT_PATIENCE);
    }
  }

  private HttpServer(
      Settings settings,
      Pensieve<String, StoredValue> map,
      Cluster cluster,
      Alarms alarms,
      Optional<Replicated> replicated)
      throws IOException {
    drainDeadline = settings.connections().drainDeadline();
    inFlight = new InFlightRequests(settings.connections().requestsMax());
    RequestMetrics meters = new RequestMetrics(settings.accessLog());
    leaderConnections = replicated.map(node -> new LeaderConnections(node.trust()));
    gate =
        replicated.map(
            node ->
                gate(node, cluster.nodeId(), settings.limits(), leaderConnections.orElseThrow()));
    routeTable =
        new RouteTable(
            settings.limits(),
            new DurabilityGuarantee(settings.durability()),
            map,
            cluster,
            inFlight,
            meters,
            alarms,
            settings.ui(),
            settings.administration(),
            gate,
            replicated.map(node -> new ReplicationMetrics(gate.orElseThrow(), node.commits())));
    RequestHead head = new RequestHead(settings.limits());
    Router router =
        new Router(
            routeTable.routes(), head, settings.authorizer(), meters, inFlight, gate.orElse(null));
    listener =
        new HttpListener(
            new HttpListener.Settings(
                settings.address(), settings.limits(), settings.connections(), settings.tls()),
            inFlight.counted(
                new KeepAliveHandler(
                    settings.connections().silenceMax(),
                    new HttpContinueReadHandler(ExceptionMapper.mapped(router)))));
  }

  private static LeaderGate gate(
      Replicated node, long nodeId, SizeLimits limits, LeaderConnections connections) {
    int bodyBytesMax = Math.max(limits.batchBodyBytesMax(), limits.bodyBytesMax());
    return new LeaderGate(
        node.replication(),
        new Forwarder(
            node.replication(), Long.toString(nodeId), bodyBytesMax, node.patience(), connections));
  }

  /**
   * Starts to listen.
   *
   * @throws IOException if the server cannot listen on the address; nothing is left open then
   */
  public static HttpServer start(
      Settings settings, Pensieve<String, StoredValue> map, Cluster cluster) throws IOException {
    return start(settings, map, cluster, Alarms.silent());
  }

  /**
   * Starts to listen, and reports these alarms in the status and the metrics.
   *
   * @throws IOException if the server cannot listen on the address; nothing is left open then
   */
  public static HttpServer start(
      Settings settings, Pensieve<String, StoredValue> map, Cluster cluster, Alarms alarms)
      throws IOException {
    return start(settings, map, cluster, alarms, Optional.empty());
  }

  /**
   * Starts to listen, as a node of a cluster if there is one.
   *
   * @throws IOException if the server cannot listen on the address; nothing is left open then
   */
  public static HttpServer start(
      Settings settings,
      Pensieve<String, StoredValue> map,
      Cluster cluster,
      Alarms alarms,
      Optional<Replicated> replicated)
      throws IOException {
    return new HttpServer(settings, map, cluster, alarms, replicated);
  }

  /** Returns the address, with the port that was picked. */
  public InetSocketAddress address() {
    return listener.address();
  }

  RouteTable routeTable() {
    return routeTable;
  }

  /** Returns what forwards requests to the leader, on a node of a cluster. */
  Optional<Forwarder> forwarding() {
    return gate.map(LeaderGate::forwarder);
  }

  /** Returns whether the server is draining: it still responds, but closes soon. */
  boolean isDraining() {
    return inFlight.isDraining();
  }

  /** Returns how many requests are in flight. */
  long requestsInFlight() {
    return inFlight.requests();
  }

  /** Returns how many requests in flight were admitted against the limit of requests. */
  long requestsAdmitted() {
    return inFlight.admitted();
  }

  /**
   * Stops accepting connections, waits at most the drain deadline for the requests in flight, and
   * closes all connections. A second call does nothing.
   */
  @Override
  public void close() {
    if (closed.getAndSet(true)) {
      return;
    }
    // Drain before the address closes: once a client finds the port closed, the next response on
    // its open connection is the last one.
    inFlight.startDraining();
    listener.stopAccepting();
    routeTable.drain();
    try {
      inFlight.awaitDrained(drainDeadline);
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
    routeTable.close();
    leaderConnections.ifPresent(LeaderConnections::close);
    listener.close();
  }
}
