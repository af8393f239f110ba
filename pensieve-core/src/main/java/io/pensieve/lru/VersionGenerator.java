package io.pensieve.lru;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Generates versions for a table whose change sink gives none. The versions of one key always
 * increase, even if it is removed and inserted again. Different keys may have equal versions.
 *
 * <p>A key's next version is its last one plus one. The versions of a new key start above {@link
 * #GONE}, the largest version of any removed key. A removal raises GONE before the key's node
 * leaves the table, and so before the key can get another node. In a full table, removals mostly
 * evict the oldest entries, whose versions are usually small. So GONE is rarely raised: threads
 * share a counter that they hardly ever write.
 */
final class VersionGenerator {
  // On two cache lines of its own, because processors fetch lines in pairs.
  private static final int LINE_LONGS = 2 * 64 / Long.BYTES;
  private static final int GONE = LINE_LONGS;

  private final AtomicLongArray line = new AtomicLongArray(2 * LINE_LONGS);

  /**
   * Returns the version of the next change of an entry that stays. The caller holds the node's
   * lock.
   */
  long next(Node<?, ?> node) {
    long last = node.version();
    return (last == 0 ? line.getOpaque(GONE) : last) + 1;
  }

  /** Returns the version of the removal of an entry. The caller holds the node's lock. */
  long last(Node<?, ?> node) {
    long version = node.version() + 1;
    if (version > line.getOpaque(GONE)) {
      line.accumulateAndGet(GONE, version, Math::max);
    }
    return version;
  }
}
