package io.pensieve.lru;

/**
 * Receives every value that leaves the table, once. The thread that made the change calls it, after
 * the change is visible, and while it holds no lock of any key.
 */
public interface RemovalObserver<K, V> {

  /** The key got another value, or the same one, written again. */
  void replaced(K key, V value);

  /** A caller removed the key. */
  void removed(K key, V value);

  /** The bound was exceeded, and this was the least recently used entry. */
  void evicted(K key, V value);

  /** The entry expired. */
  void expired(K key, V value);
}
