package io.pensieve.log;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/** The log that keeps nothing. It still counts, because versions come from the log. */
final class NoLog<K, V> implements Log<K, V> {
  private static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);

  private final AtomicLong lastSequence = new AtomicLong();

  @Override
  public RecoveryReport replay(Replay<K, V> replay) {
    return RecoveryReport.empty();
  }

  @Override
  public long append(Change<K, V> change) {
    return lastSequence.incrementAndGet();
  }

  @Override
  public long durableSequence() {
    return Long.MAX_VALUE;
  }

  @Override
  public void awaitDurable(long sequence) {}

  @Override
  public CompletableFuture<Void> whenDurable(long sequence) {
    return DONE;
  }

  @Override
  public void close() {}
}
