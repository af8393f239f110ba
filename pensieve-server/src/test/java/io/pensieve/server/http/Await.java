package io.pensieve.server.http;

import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** Waits for what will come about, with a deadline that is only ever reached by a fault. */
final class Await {
  private static final long POLL_NANOS = 1_000_000;

  private Await() {}

  static void until(String what, Callable<Boolean> condition) throws Exception {
    until(what, condition, POLL_NANOS);
  }

  /** The same, with a longer pause between two looks: for a look that costs the machine more. */
  static void until(String what, Callable<Boolean> condition, long pollNanos) throws Exception {
    long deadlineNanos = System.nanoTime() + ServerUnderTest.PATIENCE.toNanos();
    while (!condition.call()) {
      if (System.nanoTime() - deadlineNanos > 0) {
        throw new AssertionError("did not come about: " + what);
      }
      LockSupport.parkNanos(pollNanos);
    }
  }
}
