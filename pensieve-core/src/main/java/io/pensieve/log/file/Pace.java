package io.pensieve.log.file;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Slows down writers that outrun a compaction, so that the folder's size has a bound. */
final class Pace {
  // A writer may hold the key that the compactor waits for. So none waits for the compactor, only
  // for its turn: those that are too far take turns, as many bytes a second as the settings have
  // it. The compactor can only make that shorter.

  private static final long TURN_NANOS_MAX = 1_000_000_000;
  private static final long LOOK_AGAIN_NANOS = 100_000;

  private final long bytesPerSecond;
  private final LongSupplier nanoTime;
  private final AtomicLong nextTurnNanos;
  private volatile long freeUntil = Long.MAX_VALUE; // stored by the compactor only
  private volatile @Nullable Thread compactor;

  /** Free for all, until told otherwise. */
  Pace(long bytesPerSecond, LongSupplier nanoTime) {
    this.bytesPerSecond = bytesPerSecond;
    this.nanoTime = nanoTime;
    this.nextTurnNanos = new AtomicLong(nanoTime.getAsLong());
  }

  /** Whoever has to be woken when writers are too far. */
  void compactor(Thread thread) {
    compactor = thread;
  }

  /** Up to this position of the log nobody has to wait. For the compactor only. */
  void freeUntil(long position) {
    freeUntil = position;
  }

  long freeUntil() {
    return freeUntil;
  }

  /** Waits a little if a frame of so many bytes, which ends here, is too far. */
  void await(long end, int bytes) {
    if (end > freeUntil) {
      LockSupport.unpark(compactor);
      awaitTurn(end, bytes);
    }
  }

  private void awaitTurn(long end, int bytes) {
    long turn = Math.min(TURN_NANOS_MAX, (long) (1e9 * bytes / bytesPerSecond));
    long now = nanoTime.getAsLong();
    // Turns are one after another for all writers, and none is saved up for later.
    long until = nextTurnNanos.accumulateAndGet(now, (next, asked) -> later(next, asked) + turn);
    while (end > freeUntil && now - until < 0) {
      LockSupport.parkNanos(this, Math.min(until - now, LOOK_AGAIN_NANOS));
      now = nanoTime.getAsLong();
    }
  }

  private static long later(long nanos, long others) {
    return nanos - others > 0 ? nanos : others;
  }
}
