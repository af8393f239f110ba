package io.pensieve.server.http.changes;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * Limits how many tasks run at a time to the available memory. Other tasks wait for their turn, in
 * order, without a thread.
 */
final class AdmissionQueue {
  @GuardedBy("this")
  private final Deque<Runnable> waiting = new ArrayDeque<>();

  @GuardedBy("this")
  private int free; // 0 while a task waits

  /** Creates a queue for this many tasks at a time, at least one. */
  AdmissionQueue(long atOnce) {
    free = (int) Math.max(1, Math.min(Integer.MAX_VALUE, atOnce));
  }

  /** Runs a task on this executor, now or later. Its turn ends when it returns or throws. */
  void run(Executor executor, Runnable task) {
    Runnable turn = () -> begin(executor, task);
    synchronized (this) {
      if (free == 0) {
        waiting.add(turn);
        return;
      }
      free--;
    }
    turn.run();
  }

  private void begin(Executor executor, Runnable task) {
    try {
      executor.execute(
          () -> {
            try {
              task.run();
            } finally {
              end();
            }
          });
    } catch (RejectedExecutionException stopping) {
      end(); // then the waiting tasks end, too, one after another
    }
  }

  private void end() {
    Runnable next;
    synchronized (this) {
      next = waiting.poll();
      free += next == null ? 1 : 0;
    }
    if (next != null) {
      next.run();
    }
  }
}
