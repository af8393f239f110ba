package io.pensieve.server.process;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * Passes lines to a stream that may block, such as a pipe without a reader. Writers never wait: a
 * thread of its own writes to the stream. If that thread blocks, lines are dropped, and a later
 * line says how many.
 */
public final class AsyncOutputStream extends OutputStream {
  private static final int WAITING_MAX = 1 << 10;

  private final PrintStream target;

  @GuardedBy("this")
  private final Deque<byte[]> waiting = new ArrayDeque<>();

  @GuardedBy("this")
  private boolean writing;

  @GuardedBy("this")
  private long leftOut;

  @GuardedBy("this")
  private boolean closed;

  /** Starts to write to this stream. */
  public AsyncOutputStream(PrintStream target) {
    this.target = target;
    Thread thread = new Thread(this::run, "pensieve-output");
    thread.setDaemon(true);
    thread.start();
  }

  /** Returns a stream for writers, which queues line by line. */
  public PrintStream lines() {
    return new PrintStream(this, true, Charset.defaultCharset());
  }

  @Override
  public void write(int single) {
    write(new byte[] {(byte) single}, 0, 1);
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int length) {
    if (waiting.size() >= WAITING_MAX) {
      leftOut++;
    } else {
      waiting.add(Arrays.copyOfRange(bytes, offset, offset + length));
      notifyAll();
    }
  }

  private void run() {
    try {
      for (byte[] next = next(); next.length > 0; next = next()) {
        target.write(next, 0, next.length);
        target.flush();
      }
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
  }

  // Returns an empty array if this is closed and everything is written.
  private synchronized byte[] next() throws InterruptedException {
    writing = false;
    notifyAll();
    while (waiting.isEmpty() && leftOut == 0) {
      if (closed) {
        return new byte[0];
      }
      wait();
    }
    writing = true;
    byte[] next = waiting.poll();
    if (next != null) {
      return next;
    }
    String line = leftOut + " lines were left out" + System.lineSeparator();
    leftOut = 0;
    return line.getBytes(Charset.defaultCharset());
  }

  /** Ends the thread once everything is written. The target stream stays open. */
  @Override
  public synchronized void close() {
    closed = true;
    notifyAll();
  }

  /** Waits until everything is written, at most for this time. Returns whether it is. */
  public synchronized boolean awaitWritten(Duration patience) {
    long deadlineNanos = System.nanoTime() + patience.toNanos();
    try {
      while (writing || !waiting.isEmpty()) {
        long leftMillis = (deadlineNanos - System.nanoTime()) / 1_000_000;
        if (leftMillis <= 0) {
          return false;
        }
        wait(leftMillis);
      }
    } catch (InterruptedException hurried) {
      Thread.currentThread().interrupt();
      return false;
    }
    return true;
  }
}
