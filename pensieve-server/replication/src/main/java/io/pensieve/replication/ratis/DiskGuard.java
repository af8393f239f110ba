package io.pensieve.replication.ratis;

import java.io.IOException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Ends a member in order before its disk is full. Ratis does not survive a full disk well: a
 * follower does not show it and does not recover, and a leader was left with an empty vote, so that
 * it refused to start.
 */
final class DiskGuard implements AutoCloseable {
  private static final long PERIOD_MILLIS = 250;

  private static final long TERM_BYTES = 256 << 10;

  /** Tells how many bytes are free on the disk of a member. */
  @FunctionalInterface
  interface FreeSpace {
    long bytes() throws IOException;
  }

  private final FreeSpace free;
  private final long reserveBytes;
  private final Runnable leave;
  private final ScheduledExecutorService thread;

  /**
   * @param leave called once when less than the reserve is free
   */
  DiskGuard(FreeSpace free, long reserveBytes, Runnable leave) {
    this.free = free;
    this.reserveBytes = reserveBytes;
    this.leave = leave;
    this.thread =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread made = new Thread(task, "pensieve-raft-disk-guard");
              made.setDaemon(true);
              return made;
            });
  }

  void start() {
    thread.execute(this::look);
  }

  boolean isBelowReserve() {
    return isFreeLessThan(reserveBytes);
  }

  /** Whether there may be no room for the file of a new term. */
  boolean isFull() {
    return isFreeLessThan(TERM_BYTES);
  }

  private boolean isFreeLessThan(long bytes) {
    try {
      return free.bytes() < bytes;
    } catch (IOException unknown) {
      return false;
    }
  }

  private void look() {
    if (isBelowReserve()) {
      leave.run();
    } else if (!thread.isShutdown()) {
      var unused = thread.schedule(this::look, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
