package io.pensieve.server.peers;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

/**
 * A look at the clock, and how much of the time until then this process was awake. A process that
 * was stopped (a long collection, a suspended machine) heard nothing because it did not listen: its
 * own pauses are no silence of its peers.
 *
 * @param nowNanos nanoseconds since the watch began
 * @param pausedNanos how much of that this process paused
 * @param pausedBeforeNanos the same at the look before this one
 */
record PauseAdjustedTime(long nowNanos, long pausedNanos, long pausedBeforeNanos) {
  static final long CHECK_NANOS = MILLISECONDS.toNanos(50);
  static final long OVERSLEPT_NANOS = MILLISECONDS.toNanos(250);

  /*
   * Taking the pauses off the clock, rather than starting every peer's silence anew, lets a process
   * that pauses again and again still convict: time awake adds up.
   */
  static PauseAdjustedTime first() {
    return new PauseAdjustedTime(0, 0, 0);
  }

  /** The look at the clock that was due {@link #CHECK_NANOS} after this one. */
  PauseAdjustedTime next(long nextNowNanos) {
    long lateNanos = nextNowNanos - nowNanos - CHECK_NANOS;
    long moreNanos = lateNanos >= OVERSLEPT_NANOS ? lateNanos : 0;
    return new PauseAdjustedTime(nextNowNanos, pausedNanos + moreNanos, pausedNanos);
  }

  /** Whether this process paused since the look before. */
  boolean overslept() {
    return pausedNanos > pausedBeforeNanos;
  }

  /** Now, on the clock that stands still while this process pauses. */
  long awakeNanos() {
    return nowNanos - pausedNanos;
  }

  /**
   * A time since the look before this one, on that clock. Where in between the pause was is not
   * known; nothing can be later than now.
   */
  long awakeNanos(long atNanos) {
    return Math.min(atNanos - pausedBeforeNanos, awakeNanos());
  }
}
