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

  /** The expiry of an entry that does not expire. */
  long NEVER = Long.MAX_VALUE;

  /**
   * The key now has this value, and is the most recently used one.
   *
   * @param expiryMillis when the entry expires, in milliseconds since 1970-01-01T00:00Z; a log only
   *     keeps it, and the map appends a removal when the time has come. {@link #NEVER} if it does
   *     not expire
   */
  record Put<K, V>(K key, V value, long expiryMillis) implements Change<K, V> {

    /** A put of an entry that does not expire. */
    public Put(K key, V value) {
      this(key, value, NEVER);
    }
  }

  /** The key is gone: removed by a caller, or evicted. Evictions are nothing special in a log. */
  record Remove<K, V>(K key) implements Change<K, V> {}

  /**
   * The key is now the most recently used one; its value and version stay. Appended when a map is
   * closed, so that a restart keeps the order that reads made.
   */
  record Touch<K, V>(K key) implements Change<K, V> {}
}
