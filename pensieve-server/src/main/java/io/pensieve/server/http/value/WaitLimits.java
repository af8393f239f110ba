package io.pensieve.server.http.value;

import java.time.Duration;

/**
 * How many clients may wait for changes, and how.
 *
 * @param pollsMax how many requests may wait for an entry to change
 * @param watchersMax how many clients may watch
 * @param queueBytesMax how much may wait for a client that watches, before it is cut off; one event
 *     more may be on its way
 * @param waitMax how long a request may wait for an entry to change; longer is cut to this
 * @param pingPeriod how often those who watch are told that nothing has gone wrong
 */
public record WaitLimits(
    int pollsMax, int watchersMax, int queueBytesMax, Duration waitMax, Duration pingPeriod) {
  /** 10,000 requests. */
  public static final int DEFAULT_POLLS_MAX = 10_000;

  /** 1,000 clients. */
  public static final int DEFAULT_WATCHERS_MAX = 1_000;

  private static final int DEFAULT_QUEUE_BYTES_MAX = 1 << 20;

  /** Refuses what is not above zero, but for numbers of clients, which may be zero. */
  public WaitLimits {
    if (pollsMax < 0 || watchersMax < 0 || queueBytesMax < 1) {
      throw new IllegalArgumentException("limits must not be negative, and a queue holds a byte");
    }
    if (waitMax.toMillis() < 1 || pingPeriod.toMillis() < 1) {
      throw new IllegalArgumentException("times must be at least a millisecond");
    }
  }

  /** The same, but for how many may wait. */
  public static WaitLimits of(int pollsMax, int watchersMax) {
    return new WaitLimits(
        pollsMax,
        watchersMax,
        DEFAULT_QUEUE_BYTES_MAX,
        Duration.ofMinutes(5),
        Duration.ofSeconds(15));
  }

  /** 1 MiB a queue, 5 minutes to wait, 15 seconds from ping to ping. */
  public static WaitLimits defaults() {
    return of(DEFAULT_POLLS_MAX, DEFAULT_WATCHERS_MAX);
  }
}
