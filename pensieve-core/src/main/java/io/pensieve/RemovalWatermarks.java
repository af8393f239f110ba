package io.pensieve;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Records an upper bound for the last removal of each key, so that readers see an absence only once
 * it is durable.
 *
 * <p>Keys share stripes by hash. So a reader may wait for the removal of another key, but never
 * misses one of its own. A writer records a removal before the key becomes absent. A reader reads
 * it after it found the key absent. Both accesses are volatile.
 */
final class RemovalWatermarks {
  private static final int STRIPES = 1024; // a power of two
  private final AtomicLongArray lastRemovals = new AtomicLongArray(STRIPES);

  /**
   * The removal of any key, used if an error prevented recording it for its own key. Such errors
   * are rare: if two coincide, the smaller one may win.
   */
  volatile long atLeast;

  void recordRemoval(int stripe, long sequence) {
    lastRemovals.accumulateAndGet(stripe, sequence, Math::max);
  }

  /** No removal above this sequence counts any more. No other thread records one meanwhile. */
  void lowerTo(long sequence) {
    atLeast = Math.min(atLeast, sequence);
    for (int i = 0; i < STRIPES; i++) {
      lastRemovals.accumulateAndGet(i, sequence, Math::min);
    }
  }

  /** The sequence that must be durable before this key may be called absent. */
  long lastRemoval(Object key) {
    return Math.max(atLeast, lastRemovals.get(stripe(key)));
  }

  /** The sequence that must be durable before any key may be called absent. */
  long lastRemoval() {
    long last = atLeast;
    for (int i = 0; i < STRIPES; i++) {
      last = Math.max(last, lastRemovals.get(i));
    }
    return last;
  }

  static int stripe(Object key) {
    int hash = key.hashCode();
    return (hash ^ hash >>> 16) & STRIPES - 1;
  }
}
