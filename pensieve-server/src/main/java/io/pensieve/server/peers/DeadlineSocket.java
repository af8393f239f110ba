package io.pensieve.server.peers;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;

/**
 * A socket that connects and reads until a deadline, and then throws {@link
 * SocketTimeoutException}. Connecting and reading are for one thread; any thread may call {@link
 * #close}.
 */
final class DeadlineSocket extends Socket {
  /*
   * A socket's own timeout restarts with every byte that arrives. This class sets it to the
   * remaining time before each read of the plain bytes. So the deadline also covers the TLS layer
   * above, where a peer that sends byte by byte could prolong a handshake or a record for hours.
   */
  private long deadlineNanos;

  /** Sets the deadline to this many nanoseconds from now. */
  void allow(long nanos) {
    deadlineNanos = System.nanoTime() + nanos;
  }

  /** Connects before the deadline. */
  void connectInTime(InetSocketAddress address) throws IOException {
    connect(address, millisLeft());
  }

  @Override
  public InputStream getInputStream() throws IOException {
    return new FilterInputStream(super.getInputStream()) {
      @Override
      public int read() throws IOException {
        setSoTimeout(millisLeft());
        return super.read();
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        setSoTimeout(millisLeft());
        return super.read(bytes, offset, length);
      }
    };
  }

  private int millisLeft() throws SocketTimeoutException {
    long leftNanos = deadlineNanos - System.nanoTime();
    if (leftNanos <= 0) {
      throw new SocketTimeoutException("no answer in time");
    }
    return (int) Math.max(1, NANOSECONDS.toMillis(leftNanos)); // 0 would mean no timeout
  }
}
