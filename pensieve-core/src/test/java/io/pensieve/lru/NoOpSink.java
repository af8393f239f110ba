package io.pensieve.lru;

import java.util.List;

/** Accepts every change, gives no versions, and tells nobody. Tests override what they watch. */
class NoOpSink<K, V> implements ChangeSink<K, V>, RemovalObserver<K, V> {
  @Override
  public long put(K key, V value, long expiryMillis) {
    return 0;
  }

  @Override
  public long remove(K key) {
    return 0;
  }

  @Override
  public long[] applyAtomically(List<KeyChange<K, V>> entries) {
    return new long[entries.size()];
  }

  @Override
  public void replaced(K key, V value) {}

  @Override
  public void removed(K key, V value) {}

  @Override
  public void evicted(K key, V value) {}

  @Override
  public void expired(K key, V value) {}
}
