package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The position up to which the log is forced, and the waiters for it. */
final class DurablePosition {
  // A waiter joins the list, then reads `durable` and `failure`. The log writer stores one of them,
  // then reads the list. All are volatile, so at least one of the two sees the other.
  //
  // The log writer needs no memory here, so a full heap neither loses a waiter nor hides a failure.
  // The waiters are the list's own links. Threads are woken before futures are handed on.

  private volatile long durable; // only the log writer stores it; never decreases
  private volatile LogException.@Nullable Failed failure; // never cleared; its message may change
  private final AtomicReference<@Nullable Waiter> arriving = new AtomicReference<>();
  private @Nullable Waiter waiting; // accessed by the log writer only
  private final FutureCompleter completer;

  DurablePosition(long durable, FutureCompleter completer) {
    this.durable = durable;
    this.completer = completer;
  }

  long durable() {
    return durable;
  }

  LogException.@Nullable Failed failure() {
    return failure;
  }

  /** Throws if the log has failed. Each caller gets a stack trace of its own. */
  void checkNotFailed() {
    LogException.Failed failed = failure;
    if (failed != null) {
      throw new LogException.Failed(String.valueOf(failed.getMessage()), failed);
    }
  }

  /** Publishes that the log is forced up to here. For the log writer only. */
  void publish(long newDurable) {
    durable = newDurable;
    wakeReached();
  }

  /**
   * Wakes the waiters whose sequence is reached, or all after a failure. For the log writer only.
   */
  void wakeReached() {
    collectArrived();
    long reached = durable;
    LogException.Failed failed = failure;
    Waiter left = null;
    Waiter futures = null;
    // `waiting` has the newest waiter first, and so has the list of those left. The list of futures
    // has the oldest first.
    Waiter lastLeft = null;
    for (Waiter waiter = waiting, next; waiter != null; waiter = next) {
      next = waiter.next;
      waiter.next = null;
      if (failed == null && waiter.sequence > reached) {
        if (lastLeft == null) {
          left = waiter;
        } else {
          lastLeft.next = waiter;
        }
        lastLeft = waiter;
      } else if (waiter.isFuture()) {
        waiter.failWith(waiter.sequence > reached ? failed : null);
        waiter.next = futures;
        futures = waiter;
      } else {
        waiter.wake();
      }
    }
    waiting = left;
    if (futures != null) {
      completer.add(futures);
    }
  }

  boolean hasNewWaiters() {
    return arriving.get() != null;
  }

  /** Records the failure for good. {@link #wakeReached} then wakes the waiters. */
  void fail(LogException.Failed failed) {
    failure = failed;
  }

  private void collectArrived() {
    Waiter arrived = arriving.getAndSet(null);
    if (arrived == null) {
      return;
    }
    Waiter first = arrived;
    while (first.next != null) {
      first = first.next;
    }
    first.next = waiting;
    waiting = arrived;
  }

  CompletableFuture<Void> whenReached(long sequence, Runnable wakeLogWriter) {
    CompletableFuture<Void> acknowledged = new CompletableFuture<>();
    if (durable >= sequence) {
      acknowledged.complete(null);
      return acknowledged;
    }
    addWaiter(Waiter.future(sequence, acknowledged));
    LogException.Failed failed = failure;
    if (durable >= sequence) {
      acknowledged.complete(null);
    } else if (failed != null) {
      acknowledged.completeExceptionally(failed);
    }
    wakeLogWriter.run();
    return acknowledged;
  }

  /** Waits for this sequence. An interrupt does not end the wait; the flag is kept. */
  void await(long sequence, Runnable wakeLogWriter) {
    Waiter waiter = Waiter.thread(sequence);
    if (durable < sequence) {
      addWaiter(waiter);
      wakeLogWriter.run();
    }
    boolean interrupted = false;
    while (!waiter.isDone() && durable < sequence && failure == null) {
      LockSupport.park(this);
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (durable < sequence) {
      checkNotFailed();
    }
  }

  private void addWaiter(Waiter waiter) {
    while (true) {
      Waiter before = arriving.get();
      waiter.next = before;
      if (arriving.compareAndSet(before, waiter)) {
        return;
      }
    }
  }
}
