package io.pensieve.log;

/**
 * One step of a map's history. Folding all of them, oldest first, gives the map: its entries and
 * their LRU order.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public sealed interface Change<K, V> {

  /** The key that this change is about. */
  K key();

  /** The key now has this value, and is the most recently used one. */
  record Put<K, V>(K key, V value) implements Change<K, V> {}

  /** The key is gone: removed by a caller, or evicted. Evictions are nothing special in a log. */
  record Remove<K, V>(K key) implements Change<K, V> {}

  /**
   * The key is now the most recently used one; its value and version stay. Appended when a map is
   * closed, so that a restart keeps the order that reads made.
   */
  record Touch<K, V>(K key) implements Change<K, V> {}
}
