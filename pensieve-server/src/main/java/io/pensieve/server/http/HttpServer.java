package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.pensieve.log.Durability;
import io.pensieve.log.Log;
import io.undertow.UndertowOptions;
import io.undertow.server.DefaultByteBufferPool;
import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.HttpContinueReadHandler;
import io.undertow.server.protocol.http.HttpOpenListener;
import io.undertow.util.Methods;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioWorker;
import org.xnio.channels.AcceptingChannel;

/** Serves a map and a view of the other nodes over HTTP/1.1. Owns neither of them. */
public final class HttpServer implements AutoCloseable {
  // Undertow's facade cannot stop to accept without cutting what is in flight, so its parts are
  // put together here: listening channel -> HTTP/1.1 -> count -> answer exceptions -> 100-continue
  // -> route. The mapping of exceptions is under everything that dispatches.

  private static final int BUFFER_BYTES = 16 << 10;
  private static final int HEADER_BYTES_MAX = 32 << 10;
  private static final int BACKLOG = 1024;
  private static final int WORKER_THREADS_MAX = 64;

  private final XnioWorker worker;
  private final DefaultByteBufferPool buffers = new DefaultByteBufferPool(true, BUFFER_BYTES);
  private final AcceptingChannel<StreamConnection> listening;
  private final HttpOpenListener connections;
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
   * @param readTimeout how long a client may be silent, within a request or between two
   * @param drainDeadline how long {@link #close} waits for requests in flight
   */
  public record Settings(
      InetSocketAddress address,
      Limits limits,
      Access access,
      Optional<Durability> durability,
      Duration readTimeout,
      Duration drainDeadline) {

    /** Default limits, open to anyone, 60 s to be silent, 10 s to drain, a map without a log. */
    public static Settings on(InetSocketAddress address) {
      return new Settings(
          address,
          Limits.defaults(),
          Access.open(),
          Optional.empty(),
          Duration.ofSeconds(60),
          Duration.ofSeconds(10));
    }
  }

  private HttpServer(Settings settings, List<Route> routes, V1 v1) throws IOException {
    this.v1 = v1;
    this.routes = List.copyOf(routes);
    drainDeadline = settings.drainDeadline();
    inFlight = new InFlight(handler(routes, settings.access()));
    connections = new HttpOpenListener(buffers, protocolOptions(settings));
    connections.setRootHandler(inFlight);
    worker = Xnio.getInstance().createWorker(workerOptions());
    try {
      listening =
          worker.createStreamConnectionServer(
              settings.address(),
              ChannelListeners.openListenerAdapter(connections),
              socketOptions(settings));
    } catch (IOException | RuntimeException notListening) {
      worker.shutdownNow();
      buffers.close();
      throw notListening;
    }
    listening.resumeAccepts();
  }

  /**
   * Starts to listen.
   *
   * @throws IOException if the address cannot be listened on; nothing is left open then
   */
  public static HttpServer start(
      Settings settings,
      Pensieve<String, StoredValue> memories,
      Log<String, StoredValue> log,
      Cluster cluster)
      throws IOException {
    V1 v1 = new V1(settings, memories, ChangeHub.Source.of(log), cluster);
    return new HttpServer(settings, routes(settings, memories, v1, cluster), v1);
  }

  /** The table of routes; the only place that knows URLs. */
  private static List<Route> routes(
      Settings settings, Pensieve<String, StoredValue> memories, V1 v1, Cluster cluster) {
    boolean readsMayWait = new Promise(settings.durability()).readsMayWait();
    Memories texts = new Memories(memories, settings.limits(), readsMayWait);
    Heartbeats nodes = new Heartbeats(cluster);
    List<Route> routes =
        new ArrayList<>(
            List.of(
                new Route(Methods.GET, "/get/{key}", Role.READ, texts::get),
                new Route(Methods.POST, "/put", Role.WRITE, texts::put),
                new Route(Methods.DELETE, "/delete/{key}", Role.WRITE, texts::delete),
                new Route(Methods.POST, "/internal/heartbeat", Role.PEER, nodes::beat),
                new Route(Methods.GET, "/cluster", Role.READ, nodes::view),
                new Route(
                    Methods.GET,
                    "/livez",
                    Role.ANYONE,
                    (exchange, noKey) -> Answers.ok(exchange))));
    routes.addAll(v1.routes());
    return routes;
  }

  private static HttpHandler handler(List<Route> routes, Access access) {
    return new HttpContinueReadHandler(Failures.mapped(new Router(routes, access)));
  }

  private static OptionMap workerOptions() {
    int ioThreads = Math.max(Runtime.getRuntime().availableProcessors(), 2);
    return OptionMap.builder()
        .set(Options.WORKER_NAME, "pensieve-http")
        .set(Options.WORKER_IO_THREADS, ioThreads)
        .set(Options.WORKER_TASK_CORE_THREADS, ioThreads)
        .set(Options.WORKER_TASK_MAX_THREADS, Math.min(ioThreads * 8, WORKER_THREADS_MAX))
        .set(Options.TCP_NODELAY, true)
        .getMap();
  }

  private static OptionMap socketOptions(Settings settings) {
    int readMillis = Math.toIntExact(settings.readTimeout().toMillis());
    return OptionMap.builder()
        .set(Options.REUSE_ADDRESSES, true)
        .set(Options.TCP_NODELAY, true)
        .set(Options.BACKLOG, BACKLOG)
        // Cuts a client that stops in the middle of a body, or that does not take its answer.
        .set(Options.READ_TIMEOUT, readMillis)
        .set(Options.WRITE_TIMEOUT, readMillis)
        .getMap();
  }

  private static OptionMap protocolOptions(Settings settings) {
    int readMillis = Math.toIntExact(settings.readTimeout().toMillis());
    return OptionMap.builder()
        .set(UndertowOptions.MAX_HEADER_SIZE, HEADER_BYTES_MAX)
        // Cuts a client that stops in the middle of a header, which no other timeout does.
        .set(UndertowOptions.REQUEST_PARSE_TIMEOUT, readMillis)
        .set(UndertowOptions.NO_REQUEST_TIMEOUT, readMillis)
        // Keys are decoded from the raw path, strictly; the server's own decoding is not wanted.
        .set(UndertowOptions.DECODE_URL, false)
        // Bodies are limited where they are read, with an answer; this limit would only cut them
        // off.
        .set(UndertowOptions.MAX_ENTITY_SIZE, -1L)
        .set(UndertowOptions.ALWAYS_SET_KEEP_ALIVE, false)
        .getMap();
  }

  /** Where it listens, with the port that was picked. */
  public InetSocketAddress address() {
    return listening.getLocalAddress(InetSocketAddress.class);
  }

  List<Route> routes() {
    return routes;
  }

  V1 v1() {
    return v1;
  }

  /** How many requests are being answered. */
  long requestsInFlight() {
    return inFlight.requests();
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
    IoUtils.safeClose(listening);
    v1.drain();
    try {
      inFlight.awaitDrained(drainDeadline);
      connections.closeConnections();
      worker.shutdown();
      if (!worker.awaitTermination(1, TimeUnit.SECONDS)) {
        worker.shutdownNow();
      }
    } catch (InterruptedException hurry) {
      worker.shutdownNow();
      Thread.currentThread().interrupt();
    }
    v1.close();
    buffers.close();
  }
}
