package io.pensieve.replication;

import io.pensieve.annotation.GuardedBy;
import java.util.Arrays;

/**
 * The sequence numbers that this node gave as a leader for changes that were then lost.
 *
 * <p>Ranges are added in ascending order, and a begin of a lead lies between any two. A lost change
 * that comes back as committed is the first one of the last range: a chain has no gaps.
 */
final class VoidRanges {
  static final int RANGES_MAX = 1024; // for readers that hold a lost value since so many leads

  private static final long[] NONE = {};

  // Pairs: the number before the first one, and the last one. Replaced as a whole, never changed.
  @GuardedBy("this")
  private volatile long[] bounds = NONE;

  /**
   * The numbers from {@code after + 1} to {@code last} are lost. Those before are not, or known.
   */
  synchronized void add(long after, long last) {
    long[] old = bounds;
    int from = old.length == 2 * RANGES_MAX ? 2 : 0;
    long[] added = Arrays.copyOfRange(old, from, old.length + 2);
    added[added.length - 2] = after;
    added[added.length - 1] = last;
    bounds = added;
  }

  /** The numbers up to this one were committed after all. */
  synchronized void remove(long upTo) {
    long[] old = bounds;
    if (old.length == 0 || upTo <= old[old.length - 2] || upTo > old[old.length - 1]) {
      return;
    }
    long[] shrunk = upTo == old[old.length - 1] ? Arrays.copyOf(old, old.length - 2) : old.clone();
    if (shrunk.length == old.length) {
      shrunk[shrunk.length - 2] = upTo;
    }
    bounds = shrunk;
  }

  boolean contains(long sequence) {
    long[] all = bounds;
    for (int i = all.length - 2; i >= 0 && sequence <= all[i + 1]; i -= 2) {
      if (sequence > all[i]) {
        return true;
      }
    }
    return false;
  }
}
