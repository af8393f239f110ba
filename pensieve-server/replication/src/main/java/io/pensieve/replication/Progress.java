package io.pensieve.replication;

import io.pensieve.replication.consensus.LogPosition;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How much of the cluster's log the map has, with the counters about that. The engine's thread
 * stores, any thread reads.
 */
final class Progress {

  /**
   * How much of the log the map has.
   *
   * @param position the last entry that was applied as a whole
   * @param chain the end of the chain there
   */
  record Applied(LogPosition position, ChainEnd chain) {
    static final Applied NOTHING = new Applied(new LogPosition(0, 0), ChainEnd.START);
  }

  private volatile Applied applied = Applied.NOTHING;

  // The map was loaded from a snapshot that has changes up to this number in part. Until the chain
  // has reached it, the map is no state that it ever had.
  private volatile long completeAt;

  // Odd while the map is undone or replaced; afterwards larger than before. A walk over the map is
  // of use only if this is even before it, and the same when all it may have seen is committed.
  private final AtomicLong upheavals = new AtomicLong();

  private final AtomicLong changes = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicLong leads = new AtomicLong();
  private final AtomicLong commits = new AtomicLong();
  private final AtomicLong commitNanos = new AtomicLong();
  private final AtomicLong longestCommitNanos = new AtomicLong();

  Applied applied() {
    return applied;
  }

  void applied(LogPosition position, ChainEnd chain, int newChanges, int newBytes) {
    changes.addAndGet(newChanges);
    bytes.addAndGet(newBytes);
    applied = new Applied(position, chain);
  }

  /** The map is about to get the state of a snapshot. */
  void restoring() {
    completeAt = Long.MAX_VALUE;
    beginUpheaval();
  }

  /** The map has the state of a snapshot. */
  void restored(LogPosition position, ChainEnd chain, long complete) {
    applied = new Applied(position, chain);
    completeAt = complete;
    endUpheaval();
  }

  boolean isComplete() {
    return applied.chain().last() >= completeAt;
  }

  void beginUpheaval() {
    upheavals.incrementAndGet();
  }

  void endUpheaval() {
    upheavals.incrementAndGet();
  }

  long upheavals() {
    return upheavals.get();
  }

  void leadBegan() {
    leads.incrementAndGet();
  }

  void committed(long nanos) {
    commitNanos.addAndGet(nanos);
    longestCommitNanos.accumulateAndGet(nanos, Math::max);
    commits.incrementAndGet();
  }

  /** The changes applied since the start. */
  long changes() {
    return changes.get();
  }

  /** The bytes of the entries applied since the start. */
  long bytes() {
    return bytes.get();
  }

  long leads() {
    return leads.get();
  }

  long commits() {
    return commits.get();
  }

  long commitNanos() {
    return commitNanos.get();
  }

  long longestCommitNanos() {
    return longestCommitNanos.get();
  }
}
