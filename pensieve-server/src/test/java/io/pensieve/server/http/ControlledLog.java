package io.pensieve.server.http;

import io.pensieve.log.Change;
import io.pensieve.log.Log;
import io.pensieve.log.LogStatistics;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.server.http.value.StoredValue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A log whose disk confirms, refuses or fails when the test says so. */
final class ControlledLog implements Log<String, StoredValue> {
  private final AtomicLong appended = new AtomicLong();
  private final AtomicLong durable = new AtomicLong();
  private final List<CompletableFuture<Void>> waiting = new ArrayList<>();
  private volatile @Nullable RuntimeException refusal;
  private volatile Optional<String> failure = Optional.empty();
  private volatile Optional<String> fullness = Optional.empty();

  /** From now on, appends throw this. */
  void refuse(RuntimeException refusal) {
    this.refusal = refusal;
  }

  /** From now on, the statistics say that it has failed. */
  void failWith(String reason) {
    failure = Optional.of(reason);
  }

  /** From now on, the statistics say that its disk is full, or no more if this is empty. */
  void fillUp(Optional<String> reason) {
    fullness = reason;
  }

  @Override
  public LogStatistics statistics() {
    return new LogStatistics(
        0,
        0,
        0,
        Duration.ZERO,
        Duration.ZERO,
        0,
        0,
        0,
        0,
        Duration.ZERO,
        Optional.empty(),
        Duration.ZERO,
        failure,
        failure.or(() -> fullness),
        7,
        9);
  }

  /** The disk confirms everything that was appended. */
  void confirm() {
    durable.set(appended.get());
    take().forEach(future -> future.complete(null));
  }

  /** The disk fails under everything that waits. */
  void fail(RuntimeException failure) {
    take().forEach(future -> future.completeExceptionally(failure));
  }

  synchronized int writesWaiting() {
    return waiting.size();
  }

  private synchronized List<CompletableFuture<Void>> take() {
    List<CompletableFuture<Void>> taken = List.copyOf(waiting);
    waiting.clear();
    return taken;
  }

  @Override
  public RecoveryReport replay(ReplayHandler<String, StoredValue> handler) {
    return RecoveryReport.empty();
  }

  @Override
  public long append(Change<String, StoredValue> change) {
    RuntimeException refused = refusal;
    if (refused != null) {
      throw refused;
    }
    return appended.incrementAndGet();
  }

  @Override
  public long durableSequence() {
    return durable.get();
  }

  @Override
  public void awaitDurable(long sequence) {
    whenDurable(sequence).join();
  }

  @Override
  public synchronized CompletableFuture<Void> whenDurable(long sequence) {
    if (sequence <= durable.get()) {
      return CompletableFuture.completedFuture(null);
    }
    CompletableFuture<Void> future = new CompletableFuture<>();
    waiting.add(future);
    return future;
  }

  @Override
  public void close() {
    confirm();
  }
}
