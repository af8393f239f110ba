package io.pensieve.log.file;

import io.pensieve.annotation.GuardedBy;
import java.io.IOException;

/** Admits one piece of work on the disk after another, until it is closed. */
final class DiskGate {
  private final Runnable afterPiece;

  @GuardedBy("this")
  private boolean busy;

  @GuardedBy("this")
  private boolean closed;

  /** Runs this after each piece that succeeds. */
  DiskGate(Runnable afterPiece) {
    this.afterPiece = afterPiece;
  }

  interface Work {
    void run() throws IOException;
  }

  /**
   * Runs a piece of work. For one thread only.
   *
   * @throws ClosedException if the gate is closed
   */
  void run(Work work) throws IOException {
    synchronized (this) {
      if (closed) {
        throw new ClosedException();
      }
      busy = true;
    }
    try {
      work.run();
    } finally {
      synchronized (this) {
        busy = false;
        notifyAll();
      }
    }
    afterPiece.run();
  }

  synchronized boolean isClosed() {
    return closed;
  }

  /** Closes the gate, and waits for the end of the piece that is running. For any thread. */
  void close() {
    boolean interrupted = false;
    synchronized (this) {
      closed = true;
      while (busy) {
        try {
          wait();
        } catch (InterruptedException goOnWaiting) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends a job of a log that is being closed. No codec can throw it. */
  static final class ClosedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ClosedException() {
      super("the log is being closed", null, false, false);
    }
  }
}
