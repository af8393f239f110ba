package io.pensieve.log.file;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Slows down writers that outrun a compaction. This bounds the folder's size. */
final class WriteThrottle {
  // A writer waits after it has unlocked its key, because the compactor may wait for that key. All
  // throttled writers share one rate evenly. Each waits only for its own appended bytes, at its
  // share of the rate, and SHARE_NANOS_MAX at most. It does not queue behind others, and owes
  // nothing once it is released. The compactor can only shorten a wait.

  private static final long SHARE_NANOS_MAX = 1_000_000_000;
  private static final long LOOK_AGAIN_NANOS = 100_000;
  private static final int LOOKS_MAX = 64; // checks per wait: many waiters must not use much CPU

  private final long bytesPerSecond;
  private final LongSupplier nanoTime;
  private final AtomicInteger held = new AtomicInteger();
  private volatile long freeUntil = Long.MAX_VALUE; // only the compactor stores it
  private volatile boolean hasDebt; // some thread may have appended beyond freeUntil
  private volatile @Nullable Thread compactor;

  /** Throttles no writer until {@link #freeUntil(long)} sets a limit. */
  WriteThrottle(long bytesPerSecond, LongSupplier nanoTime) {
    this.bytesPerSecond = bytesPerSecond;
    this.nanoTime = nanoTime;
  }

  /** Sets the compactor's thread, which a throttled writer wakes. */
  void compactor(Thread thread) {
    compactor = thread;
  }

  /** No writer waits up to this position of the log. For the compactor only. */
  void freeUntil(long position) {
    if (position != freeUntil) {
      freeUntil = position;
      hasDebt = false; // a writer still beyond it finds that at its next append
    }
  }

  long freeUntil() {
    return freeUntil;
  }

  /** Records this thread's append as its debt, if it ends beyond the limit. Never waits. */
  void appended(long end, int bytes, FrameEncoder draft) {
    if (end > freeUntil) {
      draft.addDebt(end, bytes);
      hasDebt = true;
    }
  }

  /** Whether this thread may have to wait: a cheap first check, one volatile read. */
  boolean hasDebt() {
    return hasDebt;
  }

  /** Waits for this thread's share of the rate, if its append still lies beyond the limit. */
  void await(FrameEncoder draft) {
    long end = draft.debtEnd();
    long bytes = draft.takeDebt();
    if (bytes > 0 && end > freeUntil) {
      LockSupport.unpark(compactor);
      int writers = held.incrementAndGet();
      try {
        awaitShare(end, shareNanos(bytes, writers));
      } finally {
        held.decrementAndGet();
      }
    }
  }

  private long shareNanos(long bytes, int writers) {
    return (long) Math.min(SHARE_NANOS_MAX, 1e9 * bytes * writers / bytesPerSecond);
  }

  private void awaitShare(long end, long nanos) {
    boolean interrupted = false;
    long start = nanoTime.getAsLong();
    long left = nanos;
    while (end > freeUntil && left > 0) {
      long look = Math.max(LOOK_AGAIN_NANOS, nanos / LOOKS_MAX);
      LockSupport.parkNanos(this, Math.min(left, look));
      interrupted |= Thread.interrupted(); // otherwise the next parkNanos would return at once
      left = nanos - (nanoTime.getAsLong() - start);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
