package io.pensieve.log;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A log that keeps nothing and does not count: it gives every change the sequence zero, so the map
 * generates its own versions.
 */
final class NoLog<K, V> implements Log<K, V> {
  private static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);

  @Override
  public RecoveryReport replay(ReplayHandler<K, V> handler) {
    return RecoveryReport.empty();
  }

  @Override
  public long append(Change<K, V> change) {
    return 0;
  }

  @Override
  public long[] appendAtomically(List<Change<K, V>> changes) {
    return new long[changes.size()];
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
