package io.pensieve.server.peers;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

/**
 * A clock reading that knows how long this process was paused so far. A paused process (a long
 * collection, a suspended machine) receives nothing. So its own pauses must not count as silence of
 * its peers.
 *
 * @param nowNanos nanoseconds since the monitoring began
 * @param pausedNanos how much of that this process was paused
 * @param pausedBeforeNanos the value of {@code pausedNanos} at the previous reading
 */
record PauseAdjustedTime(long nowNanos, long pausedNanos, long pausedBeforeNanos) {
  static final long CHECK_NANOS = MILLISECONDS.toNanos(50);
  static final long OVERSLEPT_NANOS = MILLISECONDS.toNanos(250);

  /*
   * The clock subtracts pauses instead of restarting every peer's silence. So a process that pauses
   * repeatedly still detects dead peers: its awake time adds up.
   */
  static PauseAdjustedTime first() {
    return new PauseAdjustedTime(0, 0, 0);
  }

  /** Returns the reading that was due {@link #CHECK_NANOS} after this one. */
  PauseAdjustedTime next(long nextNowNanos) {
    long lateNanos = nextNowNanos - nowNanos - CHECK_NANOS;
    long moreNanos = lateNanos >= OVERSLEPT_NANOS ? lateNanos : 0;
    return new PauseAdjustedTime(nextNowNanos, pausedNanos + moreNanos, pausedNanos);
  }

  /** Returns whether this process paused since the previous reading. */
  boolean overslept() {
    return pausedNanos > pausedBeforeNanos;
  }

  /** Returns the current time on the clock that stops while this process is paused. */
  long awakeNanos() {
    return nowNanos - pausedNanos;
  }

  /**
   * Converts a time since the previous reading to that clock. The position of the pause within that
   * interval is unknown. The result is never later than now.
   */
  long awakeNanos(long atNanos) {
    return Math.min(atNanos - pausedBeforeNanos, awakeNanos());
  }
}
