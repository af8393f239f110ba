package io.pensieve;

/**
 * Is told of every value that leaves a map, once.
 *
 * <p>Called by the thread that made the change, after everyone can see it and before its method
 * returns; so a slow listener slows that writer, and nobody else. Entries whose time is over are
 * removed by a thread of the map's own, or by a writer that comes upon them. No lock of the map is
 * held that another caller needs, and a listener may use the map. If it writes, it is told of what
 * that removes, inside: a listener that puts back what was evicted evicts another entry by that, is
 * told of it, and so on. Such a chain ends where the listener is 32 levels deep: its writes are
 * refused there with an {@link IllegalStateException}, and change nothing.
 *
 * <p>The change is in the log, but maybe not durable yet: a power cut can bring back an entry whose
 * removal was told. What a listener throws is logged as a warning (by {@link System.Logger}, under
 * the name of this interface), and changes nothing for the writer. A map logs the first one with
 * its trace, and later ones at most once a minute, with their number.
 *
 * <p>One exception: a map that is opened with much smaller bounds than it had evicts entries whose
 * values it has never had in memory all at once. Of these it tells nobody.
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
