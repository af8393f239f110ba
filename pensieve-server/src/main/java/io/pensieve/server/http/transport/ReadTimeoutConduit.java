package io.pensieve.server.http.transport;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.XnioExecutor;
import org.xnio.channels.ReadTimeoutException;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSourceConduit;

/**
 * Closes a connection whose client is silent while the server waits for its bytes: within a
 * request, or between two. Any thread may resume and suspend reads.
 */
public final class ReadTimeoutConduit extends AbstractStreamSourceConduit<StreamSourceConduit> {
  // Undertow's own class, which the option READ_TIMEOUT adds, schedules a timer when a request is
  // complete and removes it when the next one comes. That took 7 to 12 % of the Java code's time.
  // This class moves a deadline instead. Its timer stays, and looks at the deadline when it is due.
  //
  // Invariant: while a client is expected to send, there is a timer, or one is being scheduled. A
  // timer that is due clears `timer` before it looks whether a client is expected. A thread that
  // expects one first says so, and then looks whether there is a timer.
  //
  // Undertow suspends reads after a body, and resumes them after the response. If the response
  // comes later than that, these are two system calls (epoll_ctl), though nearly no client sends
  // meanwhile. So reads are suspended below only if something comes: `readReady` suspends them and
  // then looks whether somebody has resumed them; who resumes says so first, and then resumes them
  // below. Whichever comes last leaves them resumed.

  private final StreamConnection connection;
  private final long timeoutNanos;
  private long sinceNanos; // since when the client is silent; published by `expected`
  private volatile boolean expected;
  private volatile boolean mayBeSilent;
  private volatile boolean expired;
  private volatile boolean suspended; // here, perhaps not below
  private volatile XnioExecutor.@Nullable Key timer;

  /**
   * Creates a conduit on top of the connection's present one.
   *
   * @param timeoutMillis how long the client may be silent
   */
  ReadTimeoutConduit(StreamConnection connection, long timeoutMillis) {
    super(connection.getSourceChannel().getConduit());
    this.connection = connection;
    this.timeoutNanos = TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    ReadReadyHandler handler =
        new ReadReadyHandler.ChannelListenerHandler<>(connection.getSourceChannel());
    next.setReadReadyHandler(
        new ReadReadyHandler() {
          @Override
          public void readReady() {
            if (suspended) {
              suspendBelow();
            } else {
              handler.readReady();
            }
          }

          @Override
          public void forceTermination() {
            end();
            handler.forceTermination();
          }

          @Override
          public void terminated() {
            end();
            handler.terminated();
          }
        });
  }

  private void suspendBelow() {
    next.suspendReads();
    if (!suspended) {
      next.resumeReads();
    }
  }

  /** Sets whether the client may be silent although the server reads: it waits for a response. */
  public void mayBeSilent(boolean may) {
    mayBeSilent = may;
    if (expected) {
      expect();
    }
  }

  private void expect() {
    sinceNanos = System.nanoTime();
    expected = true;
    if (timer == null && !expired) {
      schedule(timeoutNanos);
    }
  }

  private synchronized void schedule(long nanos) {
    if (timer == null && connection.isOpen()) {
      long millis = TimeUnit.NANOSECONDS.toMillis(nanos) + 1; // never too early
      try {
        timer = connection.getIoThread().executeAfter(this::due, millis, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException threadEnds) {
        // The listener is being closed, and closes all connections.
      }
    }
  }

  // Runs on the I/O thread.
  private void due() {
    timer = null;
    if (!expected) {
      return; // whoever resumes reads schedules another one
    }
    long left = timeoutNanos - (System.nanoTime() - sinceNanos);
    if (mayBeSilent || left > 0) {
      schedule(mayBeSilent ? timeoutNanos : left);
      return;
    }
    expired = true;
    // Whoever reads or writes gets an exception, and cleans up.
    if (connection.getSourceChannel().isReadResumed()) {
      ChannelListeners.invokeChannelListener(
          connection.getSourceChannel(), connection.getSourceChannel().getReadListener());
    }
    if (connection.getSinkChannel().isWriteResumed()) {
      ChannelListeners.invokeChannelListener(
          connection.getSinkChannel(), connection.getSinkChannel().getWriteListener());
    }
    IoUtils.safeClose(connection);
  }

  private void end() {
    expected = false;
    XnioExecutor.Key scheduled = timer;
    if (scheduled != null) {
      scheduled.remove(); // it would keep the connection's memory
      timer = null;
    }
  }

  private void requireInTime() throws ReadTimeoutException {
    if (expired) {
      throw new ReadTimeoutException("the client was silent for too long");
    }
  }

  private void note(long count) {
    if (count > 0 && expected) {
      sinceNanos = System.nanoTime();
    }
  }

  @Override
  public int read(ByteBuffer target) throws IOException {
    requireInTime();
    int count = next.read(target);
    note(count);
    return count;
  }

  @Override
  public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
    requireInTime();
    long count = next.read(targets, offset, length);
    note(count);
    return count;
  }

  @Override
  public long transferTo(long position, long count, FileChannel target) throws IOException {
    requireInTime();
    long moved = next.transferTo(position, count, target);
    note(moved);
    return moved;
  }

  @Override
  public long transferTo(long count, ByteBuffer throughBuffer, StreamSinkChannel target)
      throws IOException {
    requireInTime();
    long moved = next.transferTo(count, throughBuffer, target);
    note(moved);
    return moved;
  }

  @Override
  public void awaitReadable() throws IOException {
    next.awaitReadable(timeoutNanos, TimeUnit.NANOSECONDS);
  }

  @Override
  public void awaitReadable(long time, TimeUnit unit) throws IOException {
    next.awaitReadable(Math.min(unit.toNanos(time), timeoutNanos), TimeUnit.NANOSECONDS);
  }

  @Override
  public void resumeReads() {
    suspended = false;
    next.resumeReads();
    expect();
  }

  @Override
  public void wakeupReads() {
    suspended = false;
    next.wakeupReads();
    expect();
  }

  @Override
  public void suspendReads() {
    suspended = true;
    expected = false;
  }

  @Override
  public boolean isReadResumed() {
    return !suspended && next.isReadResumed();
  }

  @Override
  public void terminateReads() throws IOException {
    end();
    next.terminateReads();
  }
}
