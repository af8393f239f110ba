package io.pensieve.server.http;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.ConnectorStatistics;
import io.undertow.server.DelegateOpenListener;
import io.undertow.server.HttpHandler;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.xnio.ChannelListener;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;
import org.xnio.XnioExecutor;

/**
 * Cuts a connection that does not come to speak HTTP in time: in its handshake, and until its first
 * bytes after it, no other timeout holds.
 */
final class HandshakeDeadline {
  private final Duration deadline;
  private final Map<StreamConnection, XnioExecutor.Key> waiting = new ConcurrentHashMap<>();

  HandshakeDeadline(Duration deadline) {
    this.deadline = deadline;
  }

  /** From here on the time runs. */
  ChannelListener<StreamConnection> begin(ChannelListener<StreamConnection> next) {
    return connection -> {
      XnioExecutor.Key cut =
          connection
              .getIoThread()
              .executeAfter(() -> cut(connection), deadline.toMillis(), TimeUnit.MILLISECONDS);
      waiting.put(connection, cut);
      // Whoever goes before that is not kept until his time would be over.
      connection.getCloseSetter().set(this::stop);
      next.handleEvent(connection);
    };
  }

  private void cut(StreamConnection connection) {
    if (waiting.remove(connection) != null) {
      IoUtils.safeClose(connection);
    }
  }

  private void stop(StreamConnection connection) {
    XnioExecutor.Key cut = waiting.remove(connection);
    if (cut != null) {
      cut.remove();
    }
  }

  /** How many connections have not come to speak HTTP yet. */
  int waiting() {
    return waiting.size();
  }

  /** Here the protocol takes over, with times of its own. */
  DelegateOpenListener end(DelegateOpenListener protocol) {
    return new TakenOver(protocol);
  }

  private final class TakenOver implements DelegateOpenListener {
    private final DelegateOpenListener protocol;

    TakenOver(DelegateOpenListener protocol) {
      this.protocol = protocol;
    }

    @Override
    public void handleEvent(StreamConnection connection, PooledByteBuffer bytes) {
      stop(connection);
      protocol.handleEvent(connection, bytes);
    }

    @Override
    public void handleEvent(StreamConnection connection) {
      stop(connection);
      protocol.handleEvent(connection);
    }

    @Override
    public HttpHandler getRootHandler() {
      return protocol.getRootHandler();
    }

    @Override
    public void setRootHandler(HttpHandler handler) {
      protocol.setRootHandler(handler);
    }

    @Override
    public OptionMap getUndertowOptions() {
      return protocol.getUndertowOptions();
    }

    @Override
    public void setUndertowOptions(OptionMap options) {
      protocol.setUndertowOptions(options);
    }

    @Override
    public ByteBufferPool getBufferPool() {
      return protocol.getBufferPool();
    }

    @Override
    public ConnectorStatistics getConnectorStatistics() {
      return protocol.getConnectorStatistics();
    }

    @Override
    public void closeConnections() {
      protocol.closeConnections();
    }
  }
}
