package io.pensieve.server;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * Lines on their way to a stream that may block, as a pipe does that nobody reads. Whoever tells
 * something never waits: a thread of its own writes, and where that does not get on, lines are left
 * out, and one says how many.
 */
final class AsyncOutputStream extends OutputStream {
  private static final int WAITING_MAX = 1 << 10;

  private final PrintStream target;
  private final Deque<byte[]> waiting = new ArrayDeque<>(); // guarded by this, as are those below
  private boolean writing;
  private long leftOut;
  private boolean closed;

  /** Starts to write to this stream. */
  AsyncOutputStream(PrintStream target) {
    this.target = target;
    Thread thread = new Thread(this::run, "pensieve-output");
    thread.setDaemon(true);
    thread.start();
  }

  /** A stream for those who tell something, line by line. */
  PrintStream lines() {
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

  // Nothing if this is closed, and everything is written.
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

  /** Ends the thread when everything is written. The stream itself stays open. */
  @Override
  public synchronized void close() {
    closed = true;
    notifyAll();
  }

  /** Waits until everything is written, at most so long; whether it is. */
  synchronized boolean awaitWritten(Duration patience) {
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
