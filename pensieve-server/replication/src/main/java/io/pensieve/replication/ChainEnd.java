package io.pensieve.replication;

import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.format.EntryHeader;

/**
 * The end of the chain of changes that count. It is a function of the cluster's log: each member
 * computes the same, entry by entry.
 *
 * @param term the term of the last lead that began
 * @param last the sequence number of the last change that counts, or the begin of the lead if none
 *     does yet
 */
record ChainEnd(long term, long last) {
  // Invariant: no leader that has begun before the last one has given a number above `last`, but
  // for the leader that the last begin made. Why: a leader gives at most GAP / 2 numbers beyond the
  // last one that counts (Leadership bounds what is uncommitted), and `begin` skips at least GAP.

  /** How many numbers a leader may give, at most, before the first of them counts; twice. */
  static final long GAP = 1 << 24;

  /** The end of an empty log. */
  static final ChainEnd START = new ChainEnd(0, 0);

  /** Whether an entry counts at this place of the log. */
  boolean accepts(LogPosition position, EntryHeader entry) {
    boolean isFenced = entry.term() != position.term();
    if (isFenced) {
      return false; // an ousted leader's, still in a queue
    }
    return entry.isBegin() || (entry.term() == term && entry.before() == last);
  }

  /** The end after an entry that counts. */
  ChainEnd after(EntryHeader entry) {
    return entry.isBegin()
        ? new ChainEnd(entry.term(), (last / GAP + 2) * GAP)
        : new ChainEnd(term, entry.last());
  }
}
