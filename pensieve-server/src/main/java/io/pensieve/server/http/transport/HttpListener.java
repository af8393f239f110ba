package io.pensieve.server.http.transport;

import io.pensieve.server.http.protocol.RequestHead;
import io.pensieve.server.http.protocol.SizeLimits;
import io.pensieve.server.http.protocol.StrictRequestConduit;
import io.undertow.UndertowOptions;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.undertow.server.HttpHandler;
import io.undertow.server.protocol.http.HttpOpenListener;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Sequence;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioWorker;
import org.xnio.channels.AcceptingChannel;

/** Connects an address to a handler: threads, buffers, optional TLS, and HTTP/1.1. */
public final class HttpListener {
  // Undertow's facade cannot stop accepting without closing the connections in flight. So this
  // class assembles the parts: listening channel -> (TLS ->) StrictRequestConduit ->
  // ReadTimeoutConduit -> HTTP/1.1 -> handler.

  private static final int BUFFER_BYTES = 16 << 10;
  private static final int BACKLOG = 1024;
  private static final int WORKER_THREADS_MAX = 64;

  private final XnioWorker worker;
  private final ThreadBufferPool buffers = new ThreadBufferPool(BUFFER_BYTES);
  private final int headBytesMax;
  private final int silenceMillis;
  private final HttpOpenListener http1;
  private final AcceptingChannel<? extends StreamConnection> channel;

  /** The address to listen on, and the limits that apply there. */
  public record Settings(
      InetSocketAddress address,
      SizeLimits limits,
      ConnectionLimits connections,
      Optional<ReloadableTls> tls) {}

  /**
   * Starts to listen.
   *
   * @throws IOException if the server cannot listen on the address; nothing is left open then
   */
  public HttpListener(Settings settings, HttpHandler handler) throws IOException {
    headBytesMax = RequestHead.parsedBytesMax(settings.limits());
    silenceMillis = settings.connections().cutMillis();
    http1 = new HttpOpenListener(buffers, protocolOptions(settings));
    http1.setRootHandler(handler);
    worker = Xnio.getInstance().createWorker(workerOptions());
    try {
      channel =
          settings.tls().isPresent()
              ? listen(settings, settings.tls().orElseThrow())
              : listen(settings);
    } catch (IOException | RuntimeException notListening) {
      worker.shutdownNow();
      buffers.close();
      throw notListening;
    }
    channel.resumeAccepts();
  }

  private AcceptingChannel<? extends StreamConnection> listen(Settings settings)
      throws IOException {
    return worker.createStreamConnectionServer(
        settings.address(),
        ChannelListeners.openListenerAdapter(this::open),
        socketOptions(settings.connections()));
  }

  private AcceptingChannel<? extends StreamConnection> listen(Settings settings, ReloadableTls tls)
      throws IOException {
    OptionMap sockets =
        OptionMap.builder()
            .addAll(socketOptions(settings.connections()))
            .set(Options.SSL_ENABLED_PROTOCOLS, Sequence.of("TLSv1.3", "TLSv1.2"))
            .getMap();
    // Do not pass our buffers: they are too small for a whole TLS record.
    return new UndertowXnioSsl(Xnio.getInstance(), OptionMap.EMPTY, tls.context())
        .createSslConnectionServer(
            worker,
            settings.address(),
            ChannelListeners.openListenerAdapter(
                connection -> {
                  ReloadableTls.offerHttp1(UndertowXnioSsl.getSslEngine(connection));
                  open(connection);
                }),
            sockets);
  }

  private void open(StreamConnection connection) {
    connection
        .getSourceChannel()
        .setConduit(new StrictRequestConduit(connection, buffers, headBytesMax));
    connection.getSourceChannel().setConduit(new ReadTimeoutConduit(connection, silenceMillis));
    http1.handleEvent(connection);
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

  private static OptionMap socketOptions(ConnectionLimits connections) {
    int silenceMillis = connections.cutMillis();
    return OptionMap.builder()
        .set(Options.REUSE_ADDRESSES, true)
        .set(Options.TCP_NODELAY, true)
        .set(Options.BACKLOG, BACKLOG)
        .set(Options.CONNECTION_HIGH_WATER, connections.connectionsMax())
        .set(Options.CONNECTION_LOW_WATER, connections.connectionsMax())
        // Closes a client that does not read its response. ReadTimeoutConduit closes one that stops
        // in the middle of a body.
        .set(Options.WRITE_TIMEOUT, silenceMillis)
        .getMap();
  }

  private static OptionMap protocolOptions(Settings settings) {
    int silenceMillis = settings.connections().cutMillis();
    return OptionMap.builder()
        .set(UndertowOptions.MAX_HEADER_SIZE, RequestHead.parsedBytesMax(settings.limits()))
        // Closes a client that stops in the middle of a header; no other timeout covers this.
        .set(UndertowOptions.REQUEST_PARSE_TIMEOUT, silenceMillis)
        .set(UndertowOptions.NO_REQUEST_TIMEOUT, silenceMillis)
        // We decode keys from the raw path, strictly, so Undertow must not decode it.
        .set(UndertowOptions.DECODE_URL, false)
        // RequestBody limits bodies and sends a response; this limit would only close the
        // connection.
        .set(UndertowOptions.MAX_ENTITY_SIZE, -1L)
        .set(UndertowOptions.ALWAYS_SET_KEEP_ALIVE, false)
        // StrictRequestConduit checks paths. A decoded path would lose what was escaped.
        .set(UndertowOptions.ALLOW_UNESCAPED_CHARACTERS_IN_URL, true)
        // The head's length bounds parameters; this limit would reject without a response body.
        .set(UndertowOptions.MAX_PARAMETERS, Integer.MAX_VALUE)
        .getMap();
  }

  /** Returns the address, with the port that was picked. */
  public InetSocketAddress address() {
    return channel.getLocalAddress(InetSocketAddress.class);
  }

  /** Closes the listening socket. Open connections stay. */
  public void stopAccepting() {
    IoUtils.safeClose(channel);
  }

  /** Closes all connections and ends all threads. */
  public void close() {
    try {
      http1.closeConnections();
      worker.shutdown();
      if (!worker.awaitTermination(1, TimeUnit.SECONDS)) {
        worker.shutdownNow();
      }
    } catch (InterruptedException hurry) {
      worker.shutdownNow();
      Thread.currentThread().interrupt();
    }
    buffers.close();
  }
}
