package io.pensieve.replication;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.replication.consensus.Consensus;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One read barrier of the engine for all that wait. A barrier covers only those who asked before it
 * began. So who asks while one is under way waits for the next one, with all others who do.
 *
 * <p>The engine's thread begins the next one, as {@link Consensus#readBarrier} allows. It runs
 * nothing that depends on a barrier: that may block, and so the workers do it.
 */
final class SharedBarrier {
  private static final long NEVER = Long.MIN_VALUE;

  private final Supplier<CompletableFuture<Void>> engine;
  private final Workers workers;

  @GuardedBy("this")
  private @Nullable CompletableFuture<Void> next;

  @GuardedBy("this")
  private boolean isUnderWay;

  @GuardedBy("this")
  private long freshAt = NEVER; // when the last successful barrier began

  SharedBarrier(Supplier<CompletableFuture<Void>> engine, Workers workers) {
    this.engine = engine;
    this.workers = workers;
  }

  CompletableFuture<Void> pass() {
    CompletableFuture<Void> passed;
    synchronized (this) {
      passed = next;
      if (passed == null) {
        passed = new CompletableFuture<>();
        next = passed;
      }
      if (isUnderWay) {
        return passed;
      }
      isUnderWay = true;
      next = null;
    }
    begin(passed);
    return passed;
  }

  private void begin(CompletableFuture<Void> passed) {
    long begun = System.nanoTime();
    CompletableFuture<Void> unused =
        engineBarrier()
            .whenComplete(
                (nothing, failure) -> {
                  if (failure == null) {
                    wasFreshAt(begun);
                  }
                  workers.complete(List.of(() -> complete(passed, failure)));
                  CompletableFuture<Void> following = takeNext();
                  if (following != null) {
                    begin(following);
                  }
                });
  }

  private CompletableFuture<Void> engineBarrier() {
    try {
      return engine.get();
    } catch (RuntimeException | Error failed) {
      return CompletableFuture.failedFuture(failed);
    }
  }

  private static void complete(CompletableFuture<Void> passed, @Nullable Throwable failure) {
    if (failure == null) {
      passed.complete(null);
    } else {
      passed.completeExceptionally(failure);
    }
  }

  private synchronized @Nullable CompletableFuture<Void> takeNext() {
    CompletableFuture<Void> taken = next;
    next = null;
    isUnderWay = taken != null;
    return taken;
  }

  private synchronized void wasFreshAt(long nanos) {
    freshAt = freshAt == NEVER ? nanos : Math.max(freshAt, nanos);
  }

  /** How long ago the last barrier that succeeded began. */
  synchronized Optional<Duration> staleness() {
    return freshAt == NEVER
        ? Optional.empty()
        : Optional.of(Duration.ofNanos(System.nanoTime() - freshAt));
  }
}
