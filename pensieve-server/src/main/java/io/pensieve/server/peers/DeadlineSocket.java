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
 * SocketTimeoutException}. Connecting and reading are for one thread; {@link #close} is for any.
 */
final class DeadlineSocket extends Socket {
  /*
   * A socket's own timeout begins anew with every byte that comes in. Here it is what is left until
   * the deadline, set before each read of the plain bytes: so the deadline also holds for what is
   * above them, where a peer that drips could keep a TLS handshake or record going for hours.
   */
  private long deadlineNanos;

  /** From now on this much time is left. */
  void allow(long nanos) {
    deadlineNanos = System.nanoTime() + nanos;
  }

  /** Connects in the time that is left. */
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
    return (int) Math.max(1, NANOSECONDS.toMillis(leftNanos)); // 0 would be no timeout at all
  }
}
