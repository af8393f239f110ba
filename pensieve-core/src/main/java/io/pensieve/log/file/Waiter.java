package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Who waits for a position to be forced: a thread, or a future. */
final class Waiter {
  // Linked into one list at a time, by itself: so whoever moves it needs no memory for that.

  final long sequence;
  @Nullable Waiter next;
  private final @Nullable Thread thread;
  private final @Nullable CompletableFuture<Void> future;
  private volatile boolean done;
  private LogException.@Nullable Failed failure; // stored before it is handed on

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

  /** Strangers' functions may run when it is completed. */
  boolean isFuture() {
    return future != null;
  }

  boolean isDone() {
    return done;
  }

  /** Lets a thread go on, which looks for itself at how it stands. */
  void wake() {
    done = true;
    LockSupport.unpark(thread);
  }

  /** It is to fail, if the position was not forced before. */
  void failWith(LogException.@Nullable Failed failed) {
    failure = failed;
  }

  /** Completes a future, and answers whether it is complete: a full heap may refuse that. */
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
      // Its own affair, if the future is complete.
    }
    return future.isDone();
  }
}
