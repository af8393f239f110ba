package io.pensieve.replication.grpc;

import io.pensieve.annotation.GuardedBy;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Keeps a leader's entries and its snapshots apart: on a follower they come by calls of their own,
 * and Ratis (3.3.0) does not expect that one overtakes the other.
 *
 * <p>When it installs a snapshot, it empties the queue of the thread that writes the log. If that
 * had still to create a segment, the thread fails, and the member stops. And an entry that waits to
 * be appended then does not follow the snapshot: it fails, and with it each one that comes later,
 * since appends are chained. The member then follows no more until it is started again. Both happen
 * when a network comes back: old calls arrive with the new ones.
 *
 * <p>So a snapshot waits until all appends under way are on the disk, and appends wait for it.
 */
final class SnapshotGate {
  private final long patienceNanos;

  @GuardedBy("this")
  private int appends; // under way

  @GuardedBy("this")
  private int installs; // under way, or waiting for appends

  /**
   * @param patienceMillis how long a snapshot waits for appends
   */
  SnapshotGate(long patienceMillis) {
    this.patienceNanos = TimeUnit.MILLISECONDS.toNanos(patienceMillis);
  }

  /** Appends entries; returns what it returns. */
  interface Append<T> {
    CompletableFuture<T> begin() throws IOException;
  }

  /** Installs a part of a snapshot; returns what it returns. */
  interface Install<T> {
    T run() throws IOException;
  }

  <T> CompletableFuture<T> append(Append<T> append) throws IOException {
    enter();
    boolean isUnderWay = false;
    try {
      CompletableFuture<T> appended = append.begin();
      isUnderWay = true;
      return appended.whenComplete((reply, failure) -> leave());
    } finally {
      if (!isUnderWay) {
        leave();
      }
    }
  }

  <T> T install(Install<T> install) throws IOException {
    beginInstall();
    try {
      return install.run();
    } finally {
      endInstall();
    }
  }

  private synchronized void enter() throws IOException {
    while (installs > 0) {
      await(patienceNanos);
    }
    appends++;
  }

  private synchronized void leave() {
    appends--;
    notifyAll();
  }

  private synchronized void beginInstall() throws IOException {
    installs++;
    boolean isAlone = false;
    try {
      long deadline = System.nanoTime() + patienceNanos;
      while (appends > 0) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          throw new IOException("the disk still writes entries that came before the snapshot");
        }
        await(left);
      }
      isAlone = true;
    } finally {
      if (!isAlone) {
        endInstall();
      }
    }
  }

  private synchronized void endInstall() {
    installs--;
    notifyAll();
  }

  @GuardedBy("this")
  private void await(long nanos) throws InterruptedIOException {
    try {
      TimeUnit.NANOSECONDS.timedWait(this, nanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("this member stops");
    }
  }
}
