package io.pensieve.log.file;

import io.pensieve.log.Durability;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** The position up to which streams may read a log in use, and the waiters for more. */
final class HighWatermark {
  // A waiter counts itself, then reads the position. The log writer moves the position, then reads
  // the count. All are volatile, so at least one of the two sees the other. The log writer wakes
  // waiters only when the position has moved: a waiter costs nothing while no change comes.

  private final RingBuffer ring;
  private final DurablePosition durablePosition;
  private final boolean isForced; // only forced changes count
  private final long start; // where this session begins
  private final long previousEnd; // where the history before ends; counts until the first append
  private volatile long newestSegment; // stored by the log writer before the watermark enters it
  private volatile boolean ended; // only the log writer stores it
  private volatile int waiting; // changed under this
  private long announcedPosition; // the log writer's only; waiters have been woken for it

  HighWatermark(
      RingBuffer ring, DurablePosition durablePosition, Durability durability, long previousEnd) {
    this.ring = ring;
    this.durablePosition = durablePosition;
    this.isForced = durability == Durability.POWER_CUT;
    this.start = ring.released();
    this.previousEnd = previousEnd;
    this.newestSegment = start;
  }

  // A stream that learns a position may resume from it after a restart. By then the segment of a
  // session without a change no longer exists.
  private long known(long position) {
    return position == start ? previousEnd : position;
  }

  /**
   * All before this position is acknowledged and in segments. A frame ends here. Never decreases.
   */
  long position() {
    long written = ring.released();
    return known(isForced ? Math.min(written, durablePosition.durable()) : written);
  }

  /**
   * All changes acknowledged by now lie before this position, unless other appends are under way.
   */
  long acknowledged() {
    return isForced ? position() : known(ring.committedPrefix());
  }

  /** No change has a sequence beyond this one. */
  long appended() {
    return known(ring.end());
  }

  /** The first position of the segment that the log writer is writing. */
  long newestSegment() {
    return newestSegment;
  }

  /** Announces a new segment. For the log writer only. */
  void newestSegment(long firstPosition) {
    newestSegment = firstPosition;
  }

  /** Announces that the log is closed or has failed: no more changes. For the log writer only. */
  void end() {
    ended = true;
    wake();
  }

  boolean hasEnded() {
    return ended;
  }

  /** The reason why the log has ended. */
  RuntimeException endReason() {
    durablePosition.checkNotFailed();
    return new IllegalStateException("the log is closed, and all of it is told");
  }

  /**
   * Waits until the position is beyond this one, the log has ended, the caller no longer wants to
   * wait, or so many nanoseconds are over.
   */
  void await(long position, BooleanSupplier isWanted, long nanos) throws InterruptedException {
    long start = System.nanoTime();
    synchronized (this) {
      waiting++;
      try {
        while (position() <= position && !ended && isWanted.getAsBoolean()) {
          long left = nanos - (System.nanoTime() - start);
          if (left <= 0) {
            return;
          }
          TimeUnit.NANOSECONDS.timedWait(this, left);
        }
      } finally {
        waiting--;
      }
    }
  }

  /** Wakes the waiters if the position has moved. For the log writer only. */
  void wakeIfMoved() {
    long reached = position();
    if (reached != announcedPosition) {
      announcedPosition = reached;
      wake();
    }
  }

  /** Wakes the waiters, so that they check again. Costs next to nothing if there are none. */
  void wake() {
    if (waiting > 0) {
      synchronized (this) {
        notifyAll();
      }
    }
  }
}
