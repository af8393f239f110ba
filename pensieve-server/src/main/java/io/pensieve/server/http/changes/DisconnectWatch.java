package io.pensieve.server.http.changes;

import io.pensieve.server.http.transport.ReadTimeoutConduit;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpServerConnection;
import java.io.IOException;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;

/**
 * Detects that the client of a waiting request disconnects. Nothing else reads the connection
 * meanwhile. Everything runs on the exchange's I/O thread.
 */
final class DisconnectWatch {
  // The end of the client's input counts as a disconnect: a client that is gone looks the same as
  // one that only stopped sending. A client that sends its next request is still there. Its bytes
  // return to the buffer where Undertow expects them, and the watch ends.
  //
  // A waiting client is silent, and must not be disconnected for that. So the connection has no
  // read timeout while the watch reads.

  private final HttpServerExchange exchange;
  private final HttpServerConnection connection;
  private final Runnable onDisconnect;
  private boolean watching;

  /**
   * Creates a watch that has not begun.
   *
   * @param onDisconnect runs at most once, when the client sends no more; a broken connection is
   *     closed instead, which ends its exchange
   */
  DisconnectWatch(HttpServerExchange exchange, Runnable onDisconnect) {
    this.exchange = exchange;
    this.connection = (HttpServerConnection) exchange.getConnection();
    this.onDisconnect = onDisconnect;
  }

  /** Watches until {@link #end}, unless the client has already sent its next request. */
  void begin() {
    if (!exchange.isRequestComplete() || connection.getExtraBytes() != null) {
      return;
    }
    StreamConnection channel = connection.getChannel();
    mayBeSilent(true);
    channel.getSourceChannel().setReadListener(source -> read());
    watching = true;
    connection.getOriginalSourceConduit().resumeReads();
  }

  private void read() {
    if (!watching) {
      connection.getOriginalSourceConduit().suspendReads();
      return;
    }
    PooledByteBuffer pooled = connection.getByteBufferPool().allocate();
    try {
      int count = connection.getOriginalSourceConduit().read(pooled.getBuffer());
      if (count > 0) {
        end();
        pooled.getBuffer().flip();
        connection.ungetRequestBytes(pooled);
        return; // the connection owns it now
      }
      if (count < 0) {
        end();
        onDisconnect.run();
      }
    } catch (IOException reset) {
      end();
      IoUtils.safeClose(connection);
      exchange.endExchange();
    }
    pooled.close();
  }

  /** Stops watching. A second call does nothing. */
  void end() {
    if (!watching) {
      return;
    }
    watching = false;
    connection.getOriginalSourceConduit().suspendReads();
    mayBeSilent(false);
  }

  private void mayBeSilent(boolean may) {
    if (connection.getOriginalSourceConduit() instanceof ReadTimeoutConduit timeout) {
      timeout.mayBeSilent(may);
    }
  }
}
