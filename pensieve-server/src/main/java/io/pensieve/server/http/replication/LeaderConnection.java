package io.pensieve.server.http.replication;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;

/**
 * A connection to a leader, for one request at a time. Everything runs on its I/O thread.
 *
 * <p>Not {@code UndertowClient} (2.4.4): it reads a head of any length, looks up names on the I/O
 * thread, and reports a TLS connection twice. Above all, it does not tell whether a request that
 * failed had left.
 */
final class LeaderConnection {
  private static final int BUFFER_BYTES = 4 << 10;
  private static final ByteBuffer[] NOTHING = {};

  private final StreamConnection channel;
  private final ConduitStreamSinkChannel sink;
  private final ConduitStreamSourceChannel source;
  private final Consumer<LeaderConnection> whenIdle;
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
  private ByteBuffer[] request = NOTHING;
  private @Nullable LeaderResponse response;
  // Null while the connection is idle, and after it failed.
  private @Nullable Receiver receiver;
  private long sinceNanos; // of the request, or of being idle

  /** Receives what became of a request: exactly one of these, once. */
  interface Receiver {
    void received(LeaderResponse response);

    /**
     * There is no response.
     *
     * @param mayBeExecuted whether all of the request has left, so that the leader may have
     *     executed it
     */
    void failed(Throwable cause, boolean mayBeExecuted);
  }

  /**
   * Takes over an open connection.
   *
   * @param whenIdle called when a response is complete and the connection takes another request
   */
  LeaderConnection(StreamConnection channel, Consumer<LeaderConnection> whenIdle) {
    this.channel = channel;
    this.sink = channel.getSinkChannel();
    this.source = channel.getSourceChannel();
    this.whenIdle = whenIdle;
    source.setReadListener(readable -> read());
    sink.setWriteListener(writable -> write());
  }

  /** Sends a request. The connection must be idle. */
  void send(ByteBuffer[] bytes, LeaderResponse expected, Receiver to) {
    request = bytes;
    response = expected;
    receiver = to;
    sinceNanos = System.nanoTime();
    write();
    if (receiver != null) {
      source.resumeReads();
    }
  }

  private void write() {
    try {
      while (!hasLeft() && sink.write(request, 0, request.length) > 0) {
        // The socket takes more.
      }
      if (hasLeft() && sink.flush()) {
        sink.suspendWrites();
      } else {
        sink.resumeWrites();
      }
    } catch (IOException broken) {
      fail(broken);
    }
  }

  // The last part is the body, or the head if there is none.
  private boolean hasLeft() {
    return request.length == 0 || !request[request.length - 1].hasRemaining();
  }

  private void read() {
    try {
      while (true) {
        int count = source.read(buffer.clear());
        if (count == 0) {
          return;
        }
        LeaderResponse expected = response;
        if (count < 0 || expected == null) {
          throw new EOFException("the leader closed the connection");
        }
        if (expected.take(buffer.flip())) {
          complete(expected);
          return;
        }
      }
    } catch (IOException | RuntimeException broken) {
      fail(broken);
    }
  }

  private void complete(LeaderResponse received) {
    Receiver to = receiver;
    boolean isReusable = hasLeft() && !buffer.hasRemaining() && received.isPersistent();
    request = NOTHING;
    response = null;
    receiver = null;
    sinceNanos = System.nanoTime();
    if (isReusable) {
      whenIdle.accept(this); // reads on, to see it closed
    } else {
      close();
    }
    if (to != null) {
      to.received(received);
    }
  }

  /** Closes the connection, and reports that to whoever waits for its response. */
  void fail(Throwable cause) {
    Receiver to = receiver;
    receiver = null;
    response = null;
    close();
    if (to != null) {
      to.failed(cause, hasLeft());
    }
  }

  /** Closes the connection without a report. */
  void close() {
    IoUtils.safeClose(channel);
  }

  boolean isOpen() {
    return channel.isOpen();
  }

  /** Returns for how long it has waited for a response, or has been idle. */
  long nanos() {
    return System.nanoTime() - sinceNanos;
  }
}
