package io.pensieve.lru;

/**
 * Is told of every value that leaves the table, once, by the thread that made the change: after
 * everyone can see it, and while that thread holds no lock of any key.
 */
public interface RemovalObserver<K, V> {

  /** The key has another value now; or the same one, written again. */
  void replaced(K key, V value);

  /** A caller has removed the key. */
  void removed(K key, V value);

  /** The entry was the one used longest ago, and the bound did not allow it. */
  void evicted(K key, V value);

  /** The entry's time was over. */
  void expired(K key, V value);
}
