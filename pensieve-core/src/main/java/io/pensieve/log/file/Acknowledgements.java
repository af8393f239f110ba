package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Up to where the log is forced, and who waits for it. */
final class Acknowledgements {
  // A waiter enters the queue and then looks at `durable` and `failure`; the scribe stores one of
  // them and then looks at the queue. All are volatile, so one of the two sees the other.

  private volatile long durable; // stored by the scribe only; never falls
  private volatile LogException.@Nullable Failed failure; // set once
  private final ConcurrentLinkedQueue<Waiter> arriving = new ConcurrentLinkedQueue<>();
  private final List<Waiter> waiting = new ArrayList<>(); // the scribe's alone

  Acknowledgements(long durable) {
    this.durable = durable;
  }

  private record Waiter(
      long sequence, @Nullable Thread thread, CompletableFuture<Void> acknowledged) {

    void wake(LogException.@Nullable Failed failure) {
      if (failure == null) {
        acknowledged.complete(null);
      } else {
        acknowledged.completeExceptionally(failure);
      }
      if (thread != null) {
        LockSupport.unpark(thread);
      }
    }
  }

  long durable() {
    return durable;
  }

  LogException.@Nullable Failed failure() {
    return failure;
  }

  /** Throws if the log has failed, with a trace of its own for each thread that asks. */
  void refuseIfFailed() {
    LogException.Failed failed = failure;
    if (failed != null) {
      throw again(failed);
    }
  }

  private static LogException.Failed again(LogException.Failed failed) {
    return new LogException.Failed(String.valueOf(failed.getMessage()), failed);
  }

  /**
   * Why nothing can be appended any more. A scribe that fails seals the ring, so that nobody who
   * has learned of the failure can still append, and says why next: that is waited for.
   */
  RuntimeException whySealed(BooleanSupplier isClosed) {
    while (failure == null && !isClosed.getAsBoolean()) {
      Thread.onSpinWait();
    }
    LogException.Failed failed = failure;
    return failed == null ? new IllegalStateException("the log is closed") : again(failed);
  }

  /** All is forced up to here. For the scribe only. */
  void publish(long newDurable) {
    durable = newDurable;
    wakeAcknowledged();
  }

  /** Wakes those whose sequence is acknowledged. For the scribe only. */
  void wakeAcknowledged() {
    collect();
    long reached = durable;
    waiting.removeIf(
        waiter -> {
          boolean isAcknowledged = waiter.sequence <= reached;
          if (isAcknowledged) {
            waiter.wake(null);
          }
          return isAcknowledged;
        });
  }

  boolean someoneArrived() {
    return !arriving.isEmpty();
  }

  /** The log has failed for good. For the scribe only. */
  void fail(LogException.Failed failed) {
    failure = failed;
    collect();
    waiting.forEach(waiter -> waiter.wake(failed));
    waiting.clear();
  }

  private void collect() {
    for (Waiter waiter = arriving.poll(); waiter != null; waiter = arriving.poll()) {
      waiting.add(waiter);
    }
  }

  CompletableFuture<Void> when(long sequence, Runnable wakeScribe) {
    CompletableFuture<Void> acknowledged = new CompletableFuture<>();
    enter(new Waiter(sequence, null, acknowledged));
    wakeScribe.run();
    return acknowledged;
  }

  void await(long sequence, Runnable wakeScribe) {
    Waiter waiter = new Waiter(sequence, Thread.currentThread(), new CompletableFuture<>());
    enter(waiter);
    wakeScribe.run();
    boolean interrupted = false;
    while (!waiter.acknowledged.isDone()) {
      LockSupport.park(this);
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (durable < sequence) {
      refuseIfFailed();
    }
  }

  private void enter(Waiter waiter) {
    if (durable < waiter.sequence) {
      arriving.add(waiter);
    }
    LogException.Failed failed = failure;
    if (durable >= waiter.sequence) {
      waiter.wake(null);
    } else if (failed != null) {
      waiter.wake(failed);
    }
  }
}
