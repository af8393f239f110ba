package io.pensieve.server.http.replication;

import io.pensieve.server.http.protocol.MemoryBudget;
import io.undertow.UndertowOptions;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Methods;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;
import org.xnio.IoFuture;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Sequence;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioExecutor;
import org.xnio.XnioIoThread;
import org.xnio.ssl.SslConnection;

/**
 * The connections to the leader. Each I/O thread has its own, and uses them for the requests of its
 * clients only, so nothing is locked and no request changes its thread.
 */
public final class LeaderConnections implements AutoCloseable {
  private static final long CONNECT_MILLIS_MAX = 2_000;
  private static final long RESPONSE_NANOS_MAX = TimeUnit.SECONDS.toNanos(10);
  // Shorter than a server keeps idle connections: a request must not meet one that closes.
  private static final long IDLE_NANOS_MAX = TimeUnit.SECONDS.toNanos(10);
  private static final long SWEEP_MILLIS = 500;

  private final Supplier<SSLContext> trust;
  private final Map<XnioIoThread, OfThread> threads = new ConcurrentHashMap<>();

  /**
   * Creates an object without connections.
   *
   * @param trust returns the context that decides which server is trusted to be a peer; called for
   *     each connection to an {@code https} URL
   */
  public LeaderConnections(Supplier<SSLContext> trust) {
    this.trust = trust;
  }

  /** Sends a request on the I/O thread of its exchange, which must be the current thread. */
  void send(
      HttpServerExchange exchange,
      URI leader,
      ByteBuffer[] request,
      LeaderConnection.Receiver receiver) {
    threads
        .computeIfAbsent(exchange.getIoThread(), OfThread::new)
        .send(exchange, leader, request, receiver);
  }

  /** Closes all connections. Requests under way fail. */
  @Override
  public void close() {
    for (OfThread connections : threads.values()) {
      try {
        connections.ioThread.execute(connections::close);
      } catch (RejectedExecutionException stopped) {
        connections.close();
      }
    }
  }

  /** The connections of one I/O thread, which alone calls this. */
  private final class OfThread {
    // Invariant: a connection that is open and not idle is in busy, and none is in both.
    final XnioIoThread ioThread;
    private final Deque<LeaderConnection> idle = new ArrayDeque<>();
    private final Set<LeaderConnection> busy = new HashSet<>();
    private @Nullable URI connectedTo;
    private @Nullable SSLContext connectedBy;
    private XnioExecutor.@Nullable Key sweep;

    OfThread(XnioIoThread ioThread) {
      this.ioThread = ioThread;
    }

    void send(
        HttpServerExchange exchange,
        URI leader,
        ByteBuffer[] request,
        LeaderConnection.Receiver receiver) {
      SSLContext context = "https".equals(leader.getScheme()) ? trust.get() : null;
      if (!leader.equals(connectedTo) || context != connectedBy) {
        idle.forEach(LeaderConnection::close);
        idle.clear();
        connectedTo = leader;
        connectedBy = context;
      }
      LeaderConnection usable = pollUsable();
      if (usable != null) {
        send(usable, exchange, request, receiver);
      } else {
        connect(exchange, leader, context, request, receiver);
      }
    }

    private @Nullable LeaderConnection pollUsable() {
      for (LeaderConnection last; (last = idle.pollLast()) != null; ) {
        if (last.isOpen() && last.nanos() < IDLE_NANOS_MAX) {
          return last;
        }
        last.close();
      }
      return null;
    }

    private void send(
        LeaderConnection connection,
        HttpServerExchange exchange,
        ByteBuffer[] request,
        LeaderConnection.Receiver receiver) {
      boolean isHead = exchange.getRequestMethod().equals(Methods.HEAD);
      busy.add(connection);
      connection.send(
          request,
          new LeaderResponse(isHead, MemoryBudget.OF_PROCESS.reservationFor(exchange)),
          receiver);
      if (sweep == null) {
        sweep = ioThread.executeAfter(this::sweep, SWEEP_MILLIS, TimeUnit.MILLISECONDS);
      }
    }

    private void sweep() {
      sweep = null;
      busy.removeIf(connection -> !connection.isOpen());
      for (LeaderConnection late : busy.toArray(LeaderConnection[]::new)) {
        if (late.nanos() > RESPONSE_NANOS_MAX) {
          busy.remove(late);
          late.fail(new IOException("no response in time"));
        }
      }
      while (!idle.isEmpty() && idle.getFirst().nanos() > IDLE_NANOS_MAX) {
        idle.removeFirst().close();
      }
      if (!busy.isEmpty() || !idle.isEmpty()) {
        sweep = ioThread.executeAfter(this::sweep, SWEEP_MILLIS, TimeUnit.MILLISECONDS);
      }
    }

    // A name look-up may take long, so a worker does it.
    private void connect(
        HttpServerExchange exchange,
        URI leader,
        @Nullable SSLContext context,
        ByteBuffer[] request,
        LeaderConnection.Receiver receiver) {
      exchange
          .getConnection()
          .getWorker()
          .execute(
              () -> {
                InetSocketAddress address = address(leader);
                ioThread.execute(() -> open(address, context, exchange, request, receiver));
              });
    }

    private void open(
        InetSocketAddress address,
        @Nullable SSLContext context,
        HttpServerExchange exchange,
        ByteBuffer[] request,
        LeaderConnection.Receiver receiver) {
      if (address.isUnresolved()) {
        receiver.failed(new IOException("the leader's name is unknown"), false);
        return;
      }
      IoFuture<? extends StreamConnection> opening = begin(address, context);
      XnioExecutor.Key tooLate =
          ioThread.executeAfter(opening::cancel, CONNECT_MILLIS_MAX, TimeUnit.MILLISECONDS);
      opening.addNotifier(
          (future, ignored) -> {
            boolean unused = tooLate.remove();
            ioThread.execute(() -> opened(future, exchange, request, receiver));
          },
          null);
    }

    private IoFuture<? extends StreamConnection> begin(
        InetSocketAddress address, @Nullable SSLContext context) {
      if (context == null) {
        return ioThread.openStreamConnection(
            address, null, OptionMap.create(Options.TCP_NODELAY, true));
      }
      OptionMap options =
          OptionMap.builder()
              .set(Options.TCP_NODELAY, true)
              .set(Options.SSL_ENABLED_PROTOCOLS, Sequence.of("TLSv1.3", "TLSv1.2"))
              .set(UndertowOptions.ENDPOINT_IDENTIFICATION_ALGORITHM, "HTTPS")
              .getMap();
      String host = address.getHostString();
      return new UndertowXnioSsl(Xnio.getInstance(), OptionMap.EMPTY, context)
          .openSslConnection(
              ioThread, address, connection -> nameServer(connection, host), options);
    }

    private void opened(
        IoFuture<? extends StreamConnection> opening,
        HttpServerExchange exchange,
        ByteBuffer[] request,
        LeaderConnection.Receiver receiver) {
      try {
        StreamConnection channel = opening.get();
        send(new LeaderConnection(channel, this::release), exchange, request, receiver);
      } catch (IOException | RuntimeException notConnected) {
        receiver.failed(notConnected, false);
      }
    }

    private void release(LeaderConnection connection) {
      busy.remove(connection);
      idle.add(connection);
    }

    void close() {
      idle.forEach(LeaderConnection::close);
      idle.clear();
      for (LeaderConnection connection : busy.toArray(LeaderConnection[]::new)) {
        connection.fail(new IOException("this node stops"));
      }
      busy.clear();
    }
  }

  private static InetSocketAddress address(URI url) {
    int byDefault = "https".equals(url.getScheme()) ? 443 : 80;
    return new InetSocketAddress(url.getHost(), url.getPort() < 0 ? byDefault : url.getPort());
  }

  // Without this Java sends no SNI for a host without a dot, such as a container name.
  private static void nameServer(SslConnection connection, String host) {
    SSLEngine engine = UndertowXnioSsl.getSslEngine(connection);
    SSLParameters parameters = engine.getSSLParameters();
    try {
      if (parameters.getServerNames() == null || parameters.getServerNames().isEmpty()) {
        parameters.setServerNames(List.of(new SNIHostName(host)));
        engine.setSSLParameters(parameters);
      }
    } catch (IllegalArgumentException addressOrOdd) {
      // An address has no SNI.
    }
  }
}
