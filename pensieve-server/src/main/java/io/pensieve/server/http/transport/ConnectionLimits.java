package io.pensieve.server.http.transport;

import java.time.Duration;

/**
 * The limits on connections and requests, and on how long they may take.
 *
 * @param connectionsMax the maximum number of open connections; others wait to be accepted
 * @param requestsMax the maximum number of requests in flight; others are rejected
 * @param silenceMax how long a client may be silent within a request or between two, or not read
 *     its response
 * @param drainDeadline how long a stopping server waits for the requests in flight
 */
public record ConnectionLimits(
    int connectionsMax, int requestsMax, Duration silenceMax, Duration drainDeadline) {
  /** Rejects limits under which no request could succeed. */
  public ConnectionLimits {
    if (connectionsMax < 1 || requestsMax < 1 || silenceMax.toMillis() < 1) {
      throw new IllegalArgumentException("nobody could be served");
    }
  }

  /**
   * Returns after how many milliseconds of silence a connection is closed. This is slightly longer
   * than announced, so that a last-moment request still gets a response.
   */
  int cutMillis() {
    long millis = silenceMax.toMillis();
    return Math.toIntExact(millis + Math.min(millis / 10, 1000));
  }

  /** Returns the defaults: 20,000 connections, 4096 requests, 75 s of silence, 8 s to drain. */
  public static ConnectionLimits defaults() {
    return new ConnectionLimits(20_000, 4096, Duration.ofSeconds(75), Duration.ofSeconds(8));
  }
}
