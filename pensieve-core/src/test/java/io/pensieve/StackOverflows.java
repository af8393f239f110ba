package io.pensieve;

import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/** Runs what a test does where little is left of the stack, so that it ends at any of its calls. */
public final class StackOverflows {
  private static final long STACK_BYTES = 256 << 10; // small, so that its end is soon reached

  private static final int RUNS_A_MEASURING = 16; // compiled frames are smaller

  private int depth;
  private int runs;

  /** Measured anew by its first run. */
  public StackOverflows() {}

  /** Runs a test in a thread whose stack is small. */
  public static void inSmallThread(Callable<?> test) throws Exception {
    FutureTask<Object> task = new FutureTask<>(test::call);
    Thread thread = new Thread(null, task, "small-stack", STACK_BYTES);
    thread.setDaemon(true);
    thread.start();
    task.get();
  }

  /**
   * Runs the action with about so many frames left, each as small as frames are.
   *
   * @throws StackOverflowError if these were too few
   */
  public void run(int framesLeft, Runnable action) {
    if (runs++ % RUNS_A_MEASURING == 0) {
      measure();
    }
    try {
      descend(Math.max(0, depth - framesLeft), action);
    } catch (InternalError linking) {
      // The JDK wraps what ends the linking of a lambda.
      throw linking.getCause() instanceof StackOverflowError end ? end : linking;
    }
  }

  private void measure() {
    depth = 0;
    try {
      descend(Integer.MAX_VALUE, null);
    } catch (StackOverflowError end) {
      // So this is the depth.
    }
  }

  private void descend(int frames, @Nullable Runnable action) {
    if (frames > 0) {
      if (action == null) {
        depth++;
      }
      descend(frames - 1, action);
    } else if (action != null) {
      action.run();
    }
  }
}
