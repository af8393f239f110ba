package io.pensieve.log.file;

import io.pensieve.log.Durability;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Up to where a log that is in use can be read from its segments, and who waits for more. */
final class HighWatermark {
  // Who waits counts itself and then looks at the position; the scribe moves the position and then
  // looks whether anybody is counted. All of that is volatile, so one of the two sees the other.
  // Nobody is woken but by a position that has moved: who waits costs nothing while nothing comes.

  private final RingBuffer ring;
  private final DurablePosition durablePosition;
  private final boolean isForced; // only what is forced counts
  private final long start; // of this life, and
  private final long previousEnd; // of the history before: until a change is appended it counts
  private volatile long newestSegment; // stored by the scribe, before anything in it counts
  private volatile boolean ended; // stored by the scribe
  private volatile int waiting; // changed with the monitor
  private long announcedPosition; // the scribe's alone: who waits has been woken for it

  HighWatermark(
      RingBuffer ring, DurablePosition durablePosition, Durability durability, long previousEnd) {
    this.ring = ring;
    this.durablePosition = durablePosition;
    this.isForced = durability == Durability.POWER_CUT;
    this.start = ring.released();
    this.previousEnd = previousEnd;
    this.newestSegment = start;
  }

  // Whoever is told of a position may ask for what follows it after a restart, when the segment of
  // a life without a change is there no more.
  private long known(long position) {
    return position == start ? previousEnd : position;
  }

  /**
   * What lies before this position is acknowledged, and in segments; a frame ends here. Never
   * falls.
   */
  long position() {
    long written = ring.released();
    return known(isForced ? Math.min(written, durablePosition.durable()) : written);
  }

  /** What was acknowledged by now lies before this position, unless other appends are under way. */
  long acknowledged() {
    return isForced ? position() : known(ring.committedPrefix());
  }

  /** No change has a sequence number beyond this one. */
  long appended() {
    return known(ring.end());
  }

  /** The position at which the segment begins that is being written. */
  long newestSegment() {
    return newestSegment;
  }

  /** Another segment is being written from now on. For the scribe only. */
  void newestSegment(long firstPosition) {
    newestSegment = firstPosition;
  }

  /** No more is written: the log is closed, or has failed. For the scribe only. */
  void end() {
    ended = true;
    wake();
  }

  boolean hasEnded() {
    return ended;
  }

  /** Why it has ended. */
  RuntimeException endReason() {
    durablePosition.checkNotFailed();
    return new IllegalStateException("the log is closed, and all of it is told");
  }

  /** Waits until the position is beyond this one, or the log has ended, or that is not wanted. */
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

  /** Lets those look again who wait, if the position has moved. For the scribe only. */
  void wakeIfMoved() {
    long reached = position();
    if (reached != announcedPosition) {
      announcedPosition = reached;
      wake();
    }
  }

  /** Lets those look again who wait. Costs next to nothing if nobody does. */
  void wake() {
    if (waiting > 0) {
      synchronized (this) {
        notifyAll();
      }
    }
  }
}
