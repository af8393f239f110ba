package io.pensieve.replication;

import io.pensieve.annotation.GuardedBy;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Threads that complete futures, and so run callers' functions that depend on them. These functions
 * may block, and wait for a later future.
 */
final class CompletionThreads {
  // One thread runs all completions, in order. If one of them blocks it from one `ensureProgress`
  // to the next while others wait, another thread takes over. With THREADS_MAX blocked at once the
  // rest waits; what completes them does not.
  static final int THREADS_MAX = 64;

  private static final long SPARE_THREAD_MILLIS = 1000;

  private final String name;

  @GuardedBy("this")
  private final Queue<Runnable> waiting = new ArrayDeque<>();

  @GuardedBy("this")
  private int threads;

  @GuardedBy("this")
  private int idle;

  @GuardedBy("this")
  private boolean ended;

  @GuardedBy("this")
  private long taken;

  @GuardedBy("this")
  private long takenBefore;

  CompletionThreads(String name) {
    this.name = name;
  }

  /** Runs completions soon, in their order. */
  void add(Collection<? extends Runnable> completions) {
    synchronized (this) {
      waiting.addAll(completions);
      if (threads > 0) {
        notify();
        return;
      }
    }
    tryStartThread();
  }

  /** Lets another thread take over if none has made progress since the last call. */
  void ensureProgress() {
    synchronized (this) {
      boolean isStuck = !waiting.isEmpty() && taken == takenBefore;
      takenBefore = taken;
      if (!isStuck || idle > 0 || threads >= THREADS_MAX) {
        return;
      }
    }
    tryStartThread();
  }

  /** Lets the threads end once they have run everything. */
  synchronized void end() {
    ended = true;
    notifyAll();
  }

  private void tryStartThread() {
    try {
      startThread();
    } catch (RuntimeException | Error noThread) {
      // The next call of ensureProgress tries again.
    }
  }

  private void startThread() {
    Thread thread = new Thread(this::run, name);
    thread.setDaemon(true);
    synchronized (this) {
      threads++;
    }
    boolean started = false;
    try {
      thread.start();
      started = true;
    } finally {
      if (!started) {
        synchronized (this) {
          threads--;
        }
      }
    }
  }

  private void run() {
    for (Runnable next = await(); next != null; next = await()) {
      try {
        next.run();
      } catch (RuntimeException | Error ofWhatDependsOnIt) {
        // The future is complete; what depends on it has failed by itself.
      }
    }
  }

  // Null ends the thread.
  private synchronized @Nullable Runnable await() {
    boolean isSpare = threads > 1;
    while (waiting.isEmpty() && !ended) {
      idle++;
      try {
        wait(isSpare ? SPARE_THREAD_MILLIS : 0);
      } catch (InterruptedException byAFunction) {
        // Nobody else interrupts these threads.
      } finally {
        idle--;
      }
      if (isSpare && waiting.isEmpty() && idle > 0) {
        break;
      }
    }
    Runnable next = waiting.poll();
    if (next == null) {
      threads--;
    } else {
      taken++;
    }
    return next;
  }
}
