package io.pensieve.server.http.transport;

import java.time.Duration;

/**
 * How many clients a server has time for, and for how long.
 *
 * @param connectionsMax how many connections may be open; others wait to be accepted
 * @param requestsMax how many requests may be under way; others are refused
 * @param silenceMax how long a client may be silent within a request or between two, or not take
 *     its answer
 * @param drainDeadline how long a server that stops waits for requests that are under way
 */
public record ConnectionLimits(
    int connectionsMax, int requestsMax, Duration silenceMax, Duration drainDeadline) {
  /** Refuses what would serve nobody. */
  public ConnectionLimits {
    if (connectionsMax < 1 || requestsMax < 1 || silenceMax.toMillis() < 1) {
      throw new IllegalArgumentException("nobody could be served");
    }
  }

  /**
   * After how many milliseconds of silence a connection is cut: a little later than clients are
   * told, so that a request of the last moment is answered.
   */
  int cutMillis() {
    long millis = silenceMax.toMillis();
    return Math.toIntExact(millis + Math.min(millis / 10, 1000));
  }

  /** 20,000 connections, 4096 requests, 75 s of silence, 8 s to drain. */
  public static ConnectionLimits defaults() {
    return new ConnectionLimits(20_000, 4096, Duration.ofSeconds(75), Duration.ofSeconds(8));
  }
}
