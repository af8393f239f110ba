package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.pensieve.log.Durability;
import io.undertow.UndertowOptions;
import io.undertow.server.DefaultByteBufferPool;
import io.undertow.server.handlers.HttpContinueReadHandler;
import io.undertow.server.protocol.http.HttpOpenListener;
import io.undertow.util.Methods;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
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
   * @param traffic how many clients there is time for, and for how long
   */
  public record Settings(
      InetSocketAddress address,
      Limits limits,
      Access access,
      Optional<Durability> durability,
      Traffic traffic) {

    /** Default limits, open to anyone, a map without a log. */
    public static Settings on(InetSocketAddress address) {
      return new Settings(
          address, Limits.defaults(), Access.open(), Optional.empty(), Traffic.defaults());
    }
  }

  private HttpServer(Settings settings, Pensieve<String, StoredValue> memories, Cluster cluster)
      throws IOException {
    drainDeadline = settings.traffic().drainDeadline();
    inFlight = new InFlight(settings.traffic().requestsMax());
    v1 = new V1(settings, memories, cluster, inFlight);
    RequestMeters meters = new RequestMeters();
    routes = routes(settings, memories, cluster, inFlight, meters, v1);
    Router router = new Router(routes, settings.access(), meters, inFlight);
    connections = new HttpOpenListener(buffers, protocolOptions(settings));
    connections.setRootHandler(
        inFlight.counted(new HttpContinueReadHandler(Failures.mapped(router))));
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
      Settings settings, Pensieve<String, StoredValue> memories, Cluster cluster)
      throws IOException {
    return new HttpServer(settings, memories, cluster);
  }

  /** The table of routes; only this and that of {@link V1} know URLs. */
  private static List<Route> routes(
      Settings settings,
      Pensieve<String, StoredValue> memories,
      Cluster cluster,
      InFlight inFlight,
      RequestMeters meters,
      V1 v1) {
    Health health = new Health(memories, inFlight::isDraining);
    Metrics metrics = new Metrics(memories, cluster, meters, inFlight::requests);
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
    int readMillis = Math.toIntExact(settings.traffic().silenceMax().toMillis());
    return OptionMap.builder()
        .set(Options.REUSE_ADDRESSES, true)
        .set(Options.TCP_NODELAY, true)
        .set(Options.BACKLOG, BACKLOG)
        .set(Options.CONNECTION_HIGH_WATER, settings.traffic().connectionsMax())
        .set(Options.CONNECTION_LOW_WATER, settings.traffic().connectionsMax())
        // Cuts a client that stops in the middle of a body, or that does not take its answer.
        .set(Options.READ_TIMEOUT, readMillis)
        .set(Options.WRITE_TIMEOUT, readMillis)
        .getMap();
  }

  private static OptionMap protocolOptions(Settings settings) {
    int readMillis = Math.toIntExact(settings.traffic().silenceMax().toMillis());
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
