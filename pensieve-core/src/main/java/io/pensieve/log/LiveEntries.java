package io.pensieve.log;

import java.util.Iterator;

/**
 * A log's view of its map, for compaction: the log writes the live entries as its new base and
 * drops the older history.
 *
 * <p>The log does this, in order:
 *
 * <ol>
 *   <li>It calls {@link #walk}.
 *   <li>It records the current end of its history.
 *   <li>It reads {@link Walk#coldestFirst} and saves each entry whose version is not beyond that
 *       end. (Replay delivers the change that made any other entry anyway.)
 *   <li>It waits until everything appended before the end of the walk is forced, because the walk
 *       may have seen its effects.
 *   <li>It replaces the old history.
 * </ol>
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public interface LiveEntries<K, V> {

  /** Begins a walk. Only one at a time. */
  Walk<K, V> walk();

  /**
   * Checks that this thread is not running a function that computes a value of the map. A walk
   * waits for that function, so such a thread must not wait for a walk.
   *
   * @throws IllegalStateException if it is; never by default
   */
  default void checkNotWithinFunction() {}

  /**
   * A consistent snapshot of an entry.
   *
   * @param put the put that gave the entry its value
   * @param version the sequence number of that put
   */
  record LiveEntry<K, V>(Change.Put<K, V> put, long version) {}

  /** One walk over the entries, while the map is in use. */
  interface Walk<K, V> {

    /**
     * Returns the entries, the least recently used first. Each is read at its turn: it includes
     * every change made before this call, and possibly later ones. If its key is locked at that
     * time, the iterator waits. To be called once.
     */
    Iterator<LiveEntry<K, V>> coldestFirst();

    /**
     * The saved entries are about to become the log's base. From now on the map relies on neither
     * order of replay, that of the old base or that of the new.
     *
     * @return whether the log may switch; if not, the map is being closed, and relies on the old
     *     base
     */
    boolean beforeSwitch();

    /**
     * The saved entries are the log's base, and survive what the log survives.
     *
     * @param sequence replay delivers the saved entries in this walk's order, and then exactly the
     *     changes with a larger sequence number
     */
    void afterSwitch(long sequence);
  }
}
