package io.pensieve.server.http.metrics;

import java.net.InetSocketAddress;
import java.time.Instant;

/** Is told of every answer. Called on I/O threads: must not wait. */
@FunctionalInterface
public interface AccessLog {

  /**
   * An answer that has ended. Has nothing of the request that its sender made up: no path, no key,
   * no value, no token.
   *
   * @param time when the request came
   * @param method its method, or {@code other} if its path is none of the server's
   * @param route the template of its path, as in {@code /get/{key}}, or {@code other}
   * @param status the status of the answer
   * @param bytes how long the answer's body was
   * @param nanos from the head of the request to the end of the answer
   * @param remote who asked
   */
  record CompletedRequest(
      Instant time,
      String method,
      String route,
      int status,
      long bytes,
      long nanos,
      InetSocketAddress remote) {}

  /** An answer has ended. */
  void completed(CompletedRequest answer);

  /** Whether anybody wants to know. */
  default boolean isOn() {
    return true;
  }

  /** Keeps nothing. */
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
