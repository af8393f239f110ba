package io.pensieve;

/**
 * Computes the weight of an entry: its bytes, for example.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
@FunctionalInterface
public interface Weigher<K, V> {

  /**
   * Returns the weight of an entry. Called once for each write, before the write, and possibly for
   * a write whose condition then does not hold. For values that a function computes, called while
   * their key is locked. When a map is opened, called once for each entry.
   *
   * @return 0 or more; always the same for the same key and value. An {@code int} will do, too
   */
  long weigh(K key, V value);
}
