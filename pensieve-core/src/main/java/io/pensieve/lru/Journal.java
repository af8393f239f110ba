package io.pensieve.lru;

/**
 * Is told of every change before anyone can see it, while the change's key is locked: the calls for
 * one key come one after another, those for different keys may come at once. A journal that throws
 * prevents the change.
 */
public interface Journal<K, V> {

  /**
   * The key is about to get this value.
   *
   * @return the entry's version, above zero and above every version given to this key before; or
   *     always zero, and then the table makes such versions itself
   */
  long put(K key, V value);

  /**
   * The key is about to be removed, by a caller or because it is the victim of an eviction.
   *
   * @return the version of the removal, under the same rule as for {@link #put}
   */
  long remove(K key);
}
