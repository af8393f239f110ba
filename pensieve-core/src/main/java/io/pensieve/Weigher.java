package io.pensieve;

/**
 * Says what an entry weighs: bytes, for example.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
@FunctionalInterface
public interface Weigher<K, V> {

  /**
   * The weight of an entry. Asked once for each write, before the write, and maybe for one that is
   * not made because its condition does not hold; for values that a function computes, while their
   * key is locked. When a map is opened, once for each entry.
   *
   * @return 0 or more; always the same for the same key and value
   */
  int weigh(K key, V value);
}
