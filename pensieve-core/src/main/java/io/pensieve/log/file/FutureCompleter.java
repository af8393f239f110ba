package io.pensieve.log.file;

import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Completes the futures of those who wait for a force, and so runs what depends on them: on threads
 * of its own, for strangers' functions may write to the log, and wait for it.
 */
final class FutureCompleter implements Runnable {
  // Handing over takes no memory and waits for nobody. One thread completes futures in their order.
  // If it is held up by a function for longer than a moment while others wait, another thread takes
  // over, so a function may even wait for a later future. Only when THREADS_MAX of them are held up
  // at once do the others' futures wait; the log itself and its waiting threads never do.

  static final int THREADS_MAX = 64;
  private static final long HELD_UP_NANOS = 50_000_000;
  private static final long NO_MEMORY_NANOS = 10_000_000;
  private static final long SPARE_THREAD_MILLIS = 1000;

  private final Executor threads;
  private @Nullable Waiter first; // guarded by this, as all that follows is
  private @Nullable Waiter last;
  private int running;
  private int idle;
  private boolean ended;
  private volatile boolean isPending;
  private volatile long taken; // how many were taken from the list; grows with this
  private long takenBefore; // the scribe's alone, as is the next one
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

  /** Completes all of a list, in time. */
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

  /** No more will come. */
  synchronized void end() {
    ended = true;
    notifyAll();
  }

  /** Sees to it that they are completed, whatever one function does. For the scribe only. */
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
      // Tried again when it is looked after the next time.
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

  /** Completes what there is to be completed by now, on the calling thread. */
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
        // These threads are deaf to others; nothing but this waits here.
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
