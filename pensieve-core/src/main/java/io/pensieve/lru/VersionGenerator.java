package io.pensieve.lru;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Versions for a table whose journal gives none: the versions of one key grow, also when it goes
 * and comes back. Other keys may have the same ones.
 *
 * <p>How it holds: a key's next version is one more than its last. A key that comes begins above
 * {@link #GONE}, the largest version of any key that has gone; who removes a key raises that before
 * the key's node leaves the table, and so before another node of the key can come. In a table that
 * is full, the oldest entries go, whose versions are small as a rule, so that it is seldom raised:
 * threads share a counter that they hardly ever write.
 */
final class VersionGenerator {
  // On a cache line of its own, with the neighbour that processors fetch with it.
  private static final int LINE_LONGS = 2 * 64 / Long.BYTES;
  private static final int GONE = LINE_LONGS;

  private final AtomicLongArray line = new AtomicLongArray(2 * LINE_LONGS);

  /** The version of the next change of an entry that stays. For the node's owner. */
  long next(Node<?, ?> node) {
    long last = node.version();
    return (last == 0 ? line.getOpaque(GONE) : last) + 1;
  }

  /** The version of the removal of an entry. For the node's owner. */
  long last(Node<?, ?> node) {
    long version = node.version() + 1;
    if (version > line.getOpaque(GONE)) {
      line.accumulateAndGet(GONE, version, Math::max);
    }
    return version;
  }
}
