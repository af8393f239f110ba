package io.pensieve.log.file;

import io.pensieve.annotation.GuardedBy;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Completes futures that depend on a force, and so runs callers' functions that depend on them. Has
 * threads of its own, since these functions may write to the log, and wait for it.
 */
final class FutureCompleter implements Runnable {
  // Handing over needs no memory and waits for no function. One thread completes futures in order.
  // If a function blocks it for 50 ms while other futures wait, another thread takes over. So a
  // function may even wait for a later future. When THREADS_MAX threads are blocked at once, the
  // remaining futures wait. The log itself and threads that wait for it never do.

  static final int THREADS_MAX = 64;
  private static final long HELD_UP_NANOS = 50_000_000;
  private static final long NO_MEMORY_NANOS = 10_000_000;
  private static final long SPARE_THREAD_MILLIS = 1000;

  private final Executor threads;

  @GuardedBy("this")
  private @Nullable Waiter first;

  @GuardedBy("this")
  private @Nullable Waiter last;

  @GuardedBy("this")
  private int running;

  @GuardedBy("this")
  private int idle;

  @GuardedBy("this")
  private boolean ended;

  private volatile boolean isPending;
  private volatile long taken; // how many were taken from the list; changed under this
  private long takenBefore; // the log writer's only, like the next one
  private long heldUpSince;

  FutureCompleter(Executor threads) {
    this.threads = threads;
  }

  /** Starts the first thread. */
  void start() {
    synchronized (this) {
      running++;
    }
    boolean started = false;
    try {
      threads.execute(this);
      started = true;
    } finally {
      if (!started) {
        synchronized (this) {
          running--;
        }
      }
    }
  }

  /** Queues all futures of a list for completion. */
  synchronized void add(Waiter list) {
    Waiter end = last;
    if (end == null) {
      first = list;
    } else {
      end.next = list;
    }
    Waiter newLast = list;
    for (Waiter next = newLast.next; next != null; next = next.next) {
      newLast = next;
    }
    last = newLast;
    isPending = true;
    notify();
  }

  /** Announces that no more futures will come. */
  synchronized void end() {
    ended = true;
    notifyAll();
  }

  /** Ensures that futures are completed even while a function blocks. For the log writer only. */
  void ensureRunning(long now) {
    if (!isPending || taken != takenBefore) {
      takenBefore = taken;
      heldUpSince = now;
    } else if (now - heldUpSince > HELD_UP_NANOS) {
      heldUpSince = now;
      takeOver();
    }
  }

  private void takeOver() {
    synchronized (this) {
      if (idle > 0) {
        notify();
        return;
      } else if (running >= THREADS_MAX) {
        return;
      }
    }
    try {
      start();
    } catch (RuntimeException | Error noThread) {
      // The next call to ensureRunning retries.
    }
  }

  @Override
  public void run() {
    try {
      while (true) {
        Waiter next = await();
        if (next == null) {
          return;
        }
        complete(next);
      }
    } finally {
      synchronized (this) {
        running--;
      }
    }
  }

  private void complete(Waiter waiter) {
    while (!waiter.tryComplete()) {
      LockSupport.parkNanos(this, NO_MEMORY_NANOS);
    }
  }

  /** Completes all futures queued by now, on the calling thread. */
  void drain() {
    for (Waiter next = poll(); next != null; next = poll()) {
      complete(next);
    }
  }

  private synchronized @Nullable Waiter await() {
    boolean isSpare = running > 1;
    while (first == null && !ended) {
      idle++;
      try {
        wait(isSpare ? SPARE_THREAD_MILLIS : 0);
        if (isSpare && first == null && idle > 1) {
          return null;
        }
      } catch (InterruptedException byAFunction) {
        // Interrupts do not reach these threads, and only this method waits here.
      } finally {
        idle--;
      }
    }
    return poll();
  }

  private synchronized @Nullable Waiter poll() {
    Waiter polled = first;
    if (polled != null) {
      first = polled.next;
      polled.next = null;
      taken++;
      if (first == null) {
        last = null;
        isPending = false;
      }
    }
    return polled;
  }
}
