package io.pensieve.server.http.changes;

import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpServerConnection;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.Options;
import org.xnio.StreamConnection;

/**
 * Notices when the client of a request disconnects while that waits: nobody else reads its
 * connection meanwhile. All of it happens on the exchange's I/O thread.
 */
final class DisconnectWatch {
  // An end of what the client sends counts as a disconnect: nothing tells a client that is gone
  // from one that only sends no more. A client that sends its next request is still there, and is
  // not watched any further: its bytes go back to where Undertow looks for them.
  //
  // A client that waits is silent, and is not cut off for it: so there is no read timeout while
  // reads are on.

  private static final int NO_TIMEOUT = 0;

  private final HttpServerExchange exchange;
  private final HttpServerConnection connection;
  private final Runnable onDisconnect;
  private @Nullable Integer readTimeoutMillis; // to be put back
  private boolean watching;

  /**
   * Watches nothing yet.
   *
   * @param onDisconnect run once, at most, if the client sends no more; a connection that is broken
   *     is closed, and ends its exchange
   */
  DisconnectWatch(HttpServerExchange exchange, Runnable onDisconnect) {
    this.exchange = exchange;
    this.connection = (HttpServerConnection) exchange.getConnection();
    this.onDisconnect = onDisconnect;
  }

  /** Watches until the end, unless the client has sent its next request already. */
  void begin() throws IOException {
    if (!exchange.isRequestComplete() || connection.getExtraBytes() != null) {
      return;
    }
    StreamConnection channel = connection.getChannel();
    readTimeoutMillis = channel.setOption(Options.READ_TIMEOUT, NO_TIMEOUT);
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
        return; // it is the connection's now
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

  /** Watches no more. A second call does nothing. */
  void end() {
    if (!watching) {
      return;
    }
    watching = false;
    connection.getOriginalSourceConduit().suspendReads();
    try {
      Integer unused = connection.getChannel().setOption(Options.READ_TIMEOUT, readTimeoutMillis);
    } catch (IOException closedMeanwhile) {
      // Then there is nobody to be cut off.
    }
  }
}
