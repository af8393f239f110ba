package io.pensieve.server.http.metrics;

import java.net.InetSocketAddress;
import java.time.Instant;

/** Receives every completed request. I/O threads call it, so it must not block. */
@FunctionalInterface
public interface AccessLog {

  /**
   * A completed request. It contains nothing that the sender chooses freely: no path, no key, no
   * value, no token.
   *
   * @param time when the request arrived
   * @param method the method, or {@code other} if no route has its path
   * @param route the template of the path, such as {@code /get/{key}}, or {@code other}
   * @param status the status of the response
   * @param bytes the length of the response body
   * @param nanos the time from the request head to the end of the response
   * @param remote the client's address
   */
  record CompletedRequest(
      Instant time,
      String method,
      String route,
      int status,
      long bytes,
      long nanos,
      InetSocketAddress remote) {}

  /** A response has ended. */
  void completed(CompletedRequest answer);

  /** Returns whether the log is enabled. */
  default boolean isOn() {
    return true;
  }

  /** Returns a log that drops everything. */
  static AccessLog none() {
    return new AccessLog() {
      @Override
      public void completed(CompletedRequest answer) {}

      @Override
      public boolean isOn() {
        return false;
      }
    };
  }
}
