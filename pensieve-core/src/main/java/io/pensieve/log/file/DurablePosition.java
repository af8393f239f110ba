package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Up to where the log is forced, and who waits for it. */
final class DurablePosition {
  // A waiter enters the list and then looks at `durable` and `failure`; the scribe stores one of
  // them and then looks at the list. All are volatile, so one of the two sees the other.
  //
  // What the scribe does here needs no memory, so a full heap neither loses a waiter nor hides a
  // failure: waiters are linked by themselves, and threads are woken before futures are handed on.

  private volatile long durable; // stored by the scribe only; never falls
  private volatile LogException.@Nullable Failed failure; // stays, but for its words
  private final AtomicReference<@Nullable Waiter> arriving = new AtomicReference<>();
  private @Nullable Waiter waiting; // the scribe's alone
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

  /** Throws if the log has failed, with a trace of its own for each thread that asks. */
  void checkNotFailed() {
    LogException.Failed failed = failure;
    if (failed != null) {
      throw new LogException.Failed(String.valueOf(failed.getMessage()), failed);
    }
  }

  /** All is forced up to here. For the scribe only. */
  void publish(long newDurable) {
    durable = newDurable;
    wakeReached();
  }

  /** Wakes those whose sequence is acknowledged. For the scribe only. */
  void wakeReached() {
    collectArrived();
    long reached = durable;
    LogException.Failed failed = failure;
    Waiter left = null;
    Waiter futures = null;
    // The list has the last one first, and so has the one that is left; the futures' the first one.
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

  /** The log has failed for good: who waits is woken by {@link #wakeReached}. */
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

  CompletableFuture<Void> whenReached(long sequence, Runnable wakeScribe) {
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
    wakeScribe.run();
    return acknowledged;
  }

  /** Not ended by an interrupt, whose flag is kept. */
  void await(long sequence, Runnable wakeScribe) {
    Waiter waiter = Waiter.thread(sequence);
    if (durable < sequence) {
      addWaiter(waiter);
      wakeScribe.run();
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
