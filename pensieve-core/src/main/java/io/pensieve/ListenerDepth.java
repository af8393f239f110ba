package io.pensieve;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * The depth of nested removal listeners of a thread. A listener that writes gets a nested call for
 * what its write removed. It may write again, and so on, also through another map. At {@link #MAX}
 * its writes are refused, long before the stack overflows.
 *
 * <p>Each level restores the previous depth by a store, which needs neither stack nor heap. A
 * thread outside all listeners has no thread-local value. A write reads its own only while some
 * thread is at the limit.
 */
final class ListenerDepth {
  static final int MAX = 32;

  private static final ThreadLocal<int[]> DEPTH = new ThreadLocal<>();
  private static final AtomicInteger THREADS_AT_MAX = new AtomicInteger();

  private ListenerDepth() {}

  /** Runs a listener one level deeper. */
  static void runNested(Runnable listener) {
    int[] depth = DEPTH.get();
    if (depth == null) {
      depth = new int[1];
      DEPTH.set(depth);
    }
    int before = depth[0];
    try {
      depth[0] = before + 1;
      if (before + 1 == MAX) {
        runAtMax(listener);
      } else {
        listener.run();
      }
    } finally {
      depth[0] = before;
      if (before == 0) {
        DEPTH.remove();
      }
    }
  }

  private static void runAtMax(Runnable listener) {
    THREADS_AT_MAX.incrementAndGet();
    try {
      listener.run();
    } finally {
      THREADS_AT_MAX.decrementAndGet();
    }
  }

  /**
   * Called by every write, before it is logged.
   *
   * @throws IllegalStateException if this thread is too deep in listeners
   */
  static void checkDepth() {
    if (THREADS_AT_MAX.get() != 0 && isTooDeep()) {
      throw new IllegalStateException(
          "a removal listener that writes is told of what that has removed, and has written again, "
              + MAX
              + " times over: this write is refused");
    }
  }

  private static boolean isTooDeep() {
    int[] depth = DEPTH.get();
    return depth != null && depth[0] >= MAX;
  }
}
