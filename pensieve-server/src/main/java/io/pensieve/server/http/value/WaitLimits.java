package io.pensieve.server.http.value;

import java.time.Duration;

/**
 * The limits on clients that wait for changes.
 *
 * @param pollsMax the maximum number of long polls
 * @param watchersMax the maximum number of watchers
 * @param queueBytesMax the maximum bytes queued for a watcher before it is disconnected; one more
 *     event may be in transit
 * @param waitMax the maximum wait of a long poll; a longer one is cut to this
 * @param pingPeriod how often an idle watcher receives a mark
 */
public record WaitLimits(
    int pollsMax, int watchersMax, int queueBytesMax, Duration waitMax, Duration pingPeriod) {
  /** 10,000 requests. */
  public static final int DEFAULT_POLLS_MAX = 10_000;

  /** 1,000 clients. */
  public static final int DEFAULT_WATCHERS_MAX = 1_000;

  private static final int DEFAULT_QUEUE_BYTES_MAX = 1 << 20;

  /** Rejects values that are not above zero; the numbers of clients may be zero. */
  public WaitLimits {
    if (pollsMax < 0 || watchersMax < 0 || queueBytesMax < 1) {
      throw new IllegalArgumentException("limits must not be negative, and a queue holds a byte");
    }
    if (waitMax.toMillis() < 1 || pingPeriod.toMillis() < 1) {
      throw new IllegalArgumentException("times must be at least a millisecond");
    }
  }

  /** Returns limits with these numbers of clients, and defaults for the rest. */
  public static WaitLimits of(int pollsMax, int watchersMax) {
    return new WaitLimits(
        pollsMax,
        watchersMax,
        DEFAULT_QUEUE_BYTES_MAX,
        Duration.ofMinutes(5),
        Duration.ofSeconds(15));
  }

  /** Returns the defaults: 1 MiB per queue, 5 minutes to wait, 15 seconds between pings. */
  public static WaitLimits defaults() {
    return of(DEFAULT_POLLS_MAX, DEFAULT_WATCHERS_MAX);
  }
}
