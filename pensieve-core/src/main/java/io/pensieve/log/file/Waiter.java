package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A waiter for a position to be forced: a thread, or a future. */
final class Waiter {
  // A waiter is its own link in one list at a time. So moving it between lists needs no memory.

  final long sequence;
  @Nullable Waiter next;
  private final @Nullable Thread thread;
  private final @Nullable CompletableFuture<Void> future;
  private volatile boolean done;
  private LogException.@Nullable Failed failure; // stored before the waiter is handed on

  private Waiter(long sequence, @Nullable Thread thread, @Nullable CompletableFuture<Void> future) {
    this.sequence = sequence;
    this.thread = thread;
    this.future = future;
  }

  static Waiter thread(long sequence) {
    return new Waiter(sequence, Thread.currentThread(), null);
  }

  static Waiter future(long sequence, CompletableFuture<Void> future) {
    return new Waiter(sequence, null, future);
  }

  /** Whether this is a future: completing it may run callers' functions. */
  boolean isFuture() {
    return future != null;
  }

  boolean isDone() {
    return done;
  }

  /** Wakes the thread, which then checks the outcome itself. */
  void wake() {
    done = true;
    LockSupport.unpark(thread);
  }

  /** Sets the failure to complete with; null if the position was forced before. */
  void failWith(LogException.@Nullable Failed failed) {
    failure = failed;
  }

  /** Completes the future. Answers whether it is complete: a full heap may prevent that. */
  boolean tryComplete() {
    if (future == null) {
      return true;
    }
    try {
      if (failure == null) {
        future.complete(null);
      } else {
        future.completeExceptionally(failure);
      }
    } catch (RuntimeException | Error ofWhatDependsOnIt) {
      // An exception of a dependent function does not matter here, if the future is complete.
    }
    return future.isDone();
  }
}
