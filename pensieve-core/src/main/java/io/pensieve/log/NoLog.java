package io.pensieve.log;

import java.util.List;

/**
 * A log that keeps nothing and does not count: it gives every change the sequence zero, so the map
 * generates its own versions.
 */
final class NoLog<K, V> implements Log<K, V> {
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
  public void close() {}
}
