package io.pensieve.lru;

import java.util.concurrent.locks.LockSupport;

/**
 * Waits for a thread that is in the middle of a few steps. That thread never waits for anything
 * itself. So if it takes long, the scheduler preempted it, and it needs the processor.
 *
 * <p>The waiter first leaves its processor to others, a few times: mostly the preempted thread is
 * among these. Timers would wake all waiters one after another, and each might preempt the next
 * thread in the middle of those steps. Only if that does not help, as when other processes have the
 * processors, the waiter sleeps, each time twice as long.
 */
final class SpinWait {
  private static final int TURNS_AWAKE = 32; // a power of two; longer than those few steps
  private static final int YIELDS = 8;
  private static final long SLEEP_NANOS_MIN = 20_000;
  private static final int DOUBLINGS_MAX = 5;

  private SpinWait() {}

  /**
   * Waits for a moment.
   *
   * @param turns how often the caller has waited for the same thing
   * @return {@code turns + 1}
   */
  @SuppressWarnings("ThreadPriorityCheck") // nothing relies on the yield but the speed
  static int once(int turns) {
    if ((turns & TURNS_AWAKE - 1) != TURNS_AWAKE - 1) {
      Thread.onSpinWait();
      return turns + 1;
    }
    int rounds = turns / TURNS_AWAKE;
    if (rounds < YIELDS) {
      Thread.yield();
    } else {
      LockSupport.parkNanos(SLEEP_NANOS_MIN << Math.min(rounds - YIELDS, DOUBLINGS_MAX));
    }
    return turns + 1;
  }
}
