package io.pensieve.replication;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.log.LogException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The sequence number up to which changes are acknowledged, the numbers of lost changes, and the
 * waiters.
 *
 * <p>Every number that {@code append} has returned is acknowledged, void, or that of an uncommitted
 * update. The engine's thread moves it on, and only under this monitor. So a waiter that is added
 * under the monitor after a look at all three is woken.
 */
final class Acknowledgements {
  private final Workers workers;
  private final VoidRanges voids = new VoidRanges();
  private volatile long durable; // never decreases; stored under this monitor

  @GuardedBy("this")
  private final PriorityQueue<Waiter> waiters =
      new PriorityQueue<>(Comparator.comparingLong(Waiter::sequence));

  @GuardedBy("this")
  private @Nullable Supplier<LogException> failure; // each waiter gets a stack trace of its own

  /** A thread, if there is one, or all that depends on the future. */
  private record Waiter(long sequence, @Nullable Thread thread, CompletableFuture<Void> done) {}

  Acknowledgements(Workers workers) {
    this.workers = workers;
  }

  long durable() {
    return durable;
  }

  boolean isVoid(long sequence) {
    return voids.contains(sequence);
  }

  /** Everything up to this number is acknowledged or void. Never goes back. */
  void acknowledge(long sequence) {
    List<Waiter> reached = new ArrayList<>();
    synchronized (this) {
      durable = Math.max(durable, sequence);
      while (!waiters.isEmpty() && waiters.element().sequence() <= durable) {
        reached.add(waiters.remove());
      }
    }
    complete(reached, null);
  }

  /** The numbers from {@code after + 1} to {@code last} are lost, and those waiting learn it. */
  void lose(long after, long last) {
    List<Waiter> lost;
    synchronized (this) {
      voids.add(after, last);
      lost = new ArrayList<>(waiters);
      waiters.clear();
    }
    complete(lost, Acknowledgements::lostLead);
  }

  /** The numbers up to this one were not lost after all. */
  void recover(long upTo) {
    voids.remove(upTo);
  }

  /** Nothing more will be acknowledged. */
  void fail(Supplier<LogException> reason) {
    List<Waiter> failed;
    synchronized (this) {
      if (failure == null) {
        failure = reason;
      }
      failed = new ArrayList<>(waiters);
      waiters.clear();
    }
    complete(failed, reason);
  }

  private void complete(List<Waiter> waiting, @Nullable Supplier<LogException> reason) {
    List<Runnable> futures = new ArrayList<>();
    for (Waiter waiter : waiting) {
      if (waiter.thread() != null) {
        completeNow(waiter, reason);
        LockSupport.unpark(waiter.thread());
      } else {
        futures.add(() -> completeNow(waiter, reason));
      }
    }
    if (!futures.isEmpty()) {
      workers.complete(futures);
    }
  }

  private static void completeNow(Waiter waiter, @Nullable Supplier<LogException> reason) {
    if (reason == null) {
      waiter.done().complete(null);
    } else {
      waiter.done().completeExceptionally(reason.get());
    }
  }

  CompletableFuture<Void> whenDurable(long sequence) {
    boolean isDone = durable >= sequence && !voids.contains(sequence);
    return isDone ? CompletableFuture.completedFuture(null) : waitFor(sequence, null);
  }

  /** Waits. An interrupt does not end the wait; the thread's flag is kept. */
  void await(long sequence) {
    CompletableFuture<Void> done = waitFor(sequence, Thread.currentThread());
    boolean interrupted = false;
    while (!done.isDone()) {
      LockSupport.park(this);
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (done.isCompletedExceptionally()) {
      throw failureOf(done);
    }
  }

  private static LogException failureOf(CompletableFuture<Void> done) {
    Throwable cause = done.handle((nothing, thrown) -> thrown).join();
    return cause instanceof LogException failed
        ? failed
        : new LogException.Failed(String.valueOf(cause), cause);
  }

  private CompletableFuture<Void> waitFor(long sequence, @Nullable Thread thread) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    synchronized (this) {
      if (voids.contains(sequence)) {
        done.completeExceptionally(lostLead());
      } else if (durable >= sequence) {
        done.complete(null);
      } else if (failure != null) {
        done.completeExceptionally(failure.get());
      } else {
        waiters.add(new Waiter(sequence, thread, done));
      }
    }
    return done;
  }

  private static LogException lostLead() {
    return new LogException.OutcomeUnknown(
        "this node has lost the leadership before the change was acknowledged; the next leader may"
            + " or may not have it");
  }
}
