package io.pensieve.replication.ratis;

import java.util.ArrayDeque;

/**
 * Up to where the log may be forgotten, once a snapshot contains it: the last entries stay, by
 * their bytes, so that a member that was away for a while needs no snapshot. Of one thread.
 */
final class RetainedLog {
  private static final int MARKS = 64;
  private static final int FRAME_BYTES = 64; // of each entry in the log, also of an empty one

  /** The index of an entry, and the bytes of all entries up to it. */
  private record Mark(long index, long bytes) {}

  private final long retainedBytes;
  private final ArrayDeque<Mark> marks = new ArrayDeque<>();
  private long bytes;

  RetainedLog(long retainedBytes) {
    this.retainedBytes = retainedBytes;
  }

  void applied(long index, int contentBytes) {
    bytes += contentBytes + FRAME_BYTES;
    if (marks.isEmpty() || bytes - marks.getLast().bytes() >= retainedBytes / MARKS) {
      marks.add(new Mark(index, bytes));
    }
    while (marks.size() > MARKS + 1) {
      marks.remove();
    }
  }

  /**
   * The log begins anew after a snapshot. What came before is forgotten already: Ratis stops a
   * member that is told to forget less than before.
   */
  void beginsAnew() {
    marks.clear();
    bytes = 0;
  }

  /** The last index that may be forgotten; -1 if there is none. */
  long forgettable(long snapshotIndex) {
    long index = -1;
    for (Mark mark : marks) {
      if (bytes - mark.bytes() >= retainedBytes && mark.index() <= snapshotIndex) {
        index = mark.index();
      }
    }
    return index;
  }
}
