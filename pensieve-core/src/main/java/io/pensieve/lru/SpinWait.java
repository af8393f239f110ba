package io.pensieve.lru;

import java.util.concurrent.locks.LockSupport;

/**
 * Waits for a thread that is in the middle of a few steps. That thread never waits for anything
 * itself. So if it takes long, the scheduler preempted it, and it needs the processor.
 */
final class SpinWait {
  private static final int TURNS_AWAKE = 64; // a power of two; longer than those few steps
  private static final long SLEEP_NANOS = 20_000;

  private SpinWait() {}

  /**
   * Waits for a moment.
   *
   * @param turns how often the caller has waited for the same thing
   * @return {@code turns + 1}
   */
  static int once(int turns) {
    if ((turns & TURNS_AWAKE - 1) == TURNS_AWAKE - 1) {
      LockSupport.parkNanos(SLEEP_NANOS);
    } else {
      Thread.onSpinWait();
    }
    return turns + 1;
  }
}
