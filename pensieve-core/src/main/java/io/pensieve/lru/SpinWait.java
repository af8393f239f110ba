package io.pensieve.lru;

import java.util.concurrent.locks.LockSupport;

/**
 * Waits for a thread that is in the middle of a few steps. That thread never waits for anything
 * itself. So if it takes long, the scheduler preempted it, and it needs the processor.
 *
 * <p>The waiter first pauses, each time twice as long. While it looks, it takes the memory that it
 * waits for from the other thread's processor; and a thread that has a lock's data in its cache may
 * well acquire the lock again many times meanwhile. Exponential backoff: Anderson, "The Performance
 * of Spin Lock Alternatives for Shared-Memory Multiprocessors", 1990.
 *
 * <p>Then it leaves its processor to others, a few times: mostly the preempted thread is among
 * these. Timers would wake all waiters one after another, and each might preempt the next thread in
 * the middle of those steps. Only if that does not help, as when other processes have the
 * processors, the waiter sleeps, each time twice as long.
 */
final class SpinWait {
  private static final int PAUSES_MIN = 16;
  private static final int DOUBLINGS_AWAKE = 6; // the longest pause takes some 10 microseconds
  private static final int YIELDS = 8;
  private static final long SLEEP_NANOS_MIN = 20_000;
  private static final int DOUBLINGS_ASLEEP = 5;

  private SpinWait() {}

  /**
   * Waits for a moment.
   *
   * @param turns how often the caller has waited for the same thing
   * @return {@code turns + 1}
   */
  @SuppressWarnings("ThreadPriorityCheck") // nothing relies on the yield but the speed
  static int once(int turns) {
    if (turns < DOUBLINGS_AWAKE) {
      for (int left = PAUSES_MIN << turns; left > 0; left--) {
        Thread.onSpinWait();
      }
    } else if (turns < DOUBLINGS_AWAKE + YIELDS) {
      Thread.yield();
    } else {
      int doublings = Math.min(turns - DOUBLINGS_AWAKE - YIELDS, DOUBLINGS_ASLEEP);
      LockSupport.parkNanos(SLEEP_NANOS_MIN << doublings);
    }
    return turns + 1;
  }
}
