package io.pensieve;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Remembers how recent the last removal of a key may be, so that its absence is not shown before it
 * is durable.
 *
 * <p>Keys share stripes by hash, so a reader may wait for a removal that was not its key's; never
 * the other way round. A removal is noted before the key becomes absent, and read after it was
 * found absent, both with volatile effect.
 */
final class RemovalWatermarks {
  private static final int STRIPES = 1024; // a power of two
  private final AtomicLongArray lastRemovals = new AtomicLongArray(STRIPES);

  /**
   * A removal of any key, where an error kept it from being noted for its own. Such errors are so
   * rare that a smaller one that comes at the same moment may win.
   */
  volatile long atLeast;

  void recordRemoval(int stripe, long sequence) {
    lastRemovals.accumulateAndGet(stripe, sequence, Math::max);
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
