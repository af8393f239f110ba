package io.pensieve.log.file;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Slows down writers that outrun a compaction, so that the folder's size has a bound. */
final class WriteThrottle {
  // A writer waits when it has let go of its key, which the compactor may be waiting for. All that
  // are held back share a rate evenly, and each waits for what it has appended itself, at its part
  // of that rate: nobody for others' turns, nobody for what is over, and none for longer than
  // SHARE_NANOS_MAX. The compactor can only make that shorter.

  private static final long SHARE_NANOS_MAX = 1_000_000_000;
  private static final long LOOK_AGAIN_NANOS = 100_000;
  private static final int LOOKS_MAX = 64; // a share: many that wait must not keep processors busy

  private final long bytesPerSecond;
  private final LongSupplier nanoTime;
  private final AtomicInteger held = new AtomicInteger();
  private volatile long freeUntil = Long.MAX_VALUE; // stored by the compactor only
  private volatile boolean hasDebt; // some thread may have appended beyond that
  private volatile @Nullable Thread compactor;

  /** Free for all, until told otherwise. */
  WriteThrottle(long bytesPerSecond, LongSupplier nanoTime) {
    this.bytesPerSecond = bytesPerSecond;
    this.nanoTime = nanoTime;
  }

  /** Whoever has to be woken when writers are too far. */
  void compactor(Thread thread) {
    compactor = thread;
  }

  /** Up to this position of the log nobody has to wait. For the compactor only. */
  void freeUntil(long position) {
    freeUntil = position;
    hasDebt = false; // whoever is still too far finds that at its next append
  }

  long freeUntil() {
    return freeUntil;
  }

  /** Notes what this thread has appended, if that is too far. Waits for nothing. */
  void appended(long end, int bytes, FrameEncoder draft) {
    if (end > freeUntil) {
      draft.addDebt(end, bytes);
      hasDebt = true;
    }
  }

  /** Whether it is worth while to ask whether this thread has to wait. Costs a look. */
  boolean hasDebt() {
    return hasDebt;
  }

  /** Waits for this thread's share of the rate, if what it has appended is still too far. */
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
      interrupted |= Thread.interrupted(); // else the next one would not park
      left = nanos - (nanoTime.getAsLong() - start);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
