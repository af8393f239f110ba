package io.pensieve.log;

/**
 * One change in a map's history. Applying all changes, oldest first, yields the map: its entries
 * and their LRU order.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public sealed interface Change<K, V> {

  /** The key of this change. */
  K key();

  /** The expiry of an entry that does not expire. */
  long NEVER = Long.MAX_VALUE;

  /**
   * The key gets this value and becomes the most recently used one.
   *
   * @param expiryMillis when the entry expires, in milliseconds since 1970-01-01T00:00Z, or {@link
   *     #NEVER}. A log only stores it; the map appends a removal when the time has come
   */
  record Put<K, V>(K key, V value, long expiryMillis) implements Change<K, V> {

    /** A put of an entry that does not expire. */
    public Put(K key, V value) {
      this(key, value, NEVER);
    }
  }

  /**
   * The key is removed: by a caller, an eviction or an expiry. A log does not distinguish these.
   */
  record Remove<K, V>(K key) implements Change<K, V> {}

  /**
   * The key becomes the most recently used one; its value and version stay. A map appends it on
   * close, so that a restart keeps the order that reads made.
   */
  record Touch<K, V>(K key) implements Change<K, V> {}
}
