package io.pensieve;

/**
 * Receives every value that leaves a map, once.
 *
 * <p>The thread that made the change calls the listener after the change is visible and before its
 * method returns. So a slow listener slows only that writer. Expired entries are removed by a
 * thread of the map, or by a writer that finds one. The caller holds no lock that another caller
 * needs, and a listener may use the map. If a listener writes, it gets nested calls for what its
 * write removes. For example, a listener that puts back an evicted entry thereby evicts another
 * one, is called for that, and so on. Such a chain ends at 32 nested levels: there a write throws
 * an {@link IllegalStateException} and changes nothing.
 *
 * <p>The change is in the log, but may not be durable yet: a power cut can restore an entry whose
 * removal was reported. What a listener throws does not affect the writer. The map logs it as a
 * warning (by {@link System.Logger}, under the name of this interface): the first one with its
 * stack trace, later ones at most once a minute, with their number.
 *
 * <p>One exception: a map opened with much smaller bounds than before evicts entries whose values
 * it never held in memory all at once. It does not report these.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
@FunctionalInterface
public interface RemovalListener<K, V> {

  /**
   * The value has left the map.
   *
   * @param key its key, which may have another value by now
   * @param value the value that the key had
   * @param cause why it has left
   */
  void removed(K key, V value, RemovalCause cause);
}
