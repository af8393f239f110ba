package io.pensieve.log;

import java.util.Iterator;

/**
 * What a log needs to see of its map to compact itself: to write the live entries as a new
 * beginning, and to forget the history before.
 *
 * <p>The log's part: {@link #walk}; then note where the history ends; then read {@link
 * Walk#coldestFirst} and save each entry whose version is not beyond that place (the change that
 * made any other is told after it, anyway); then wait until all that was appended up to the end of
 * the walk is forced, since the walk may have seen its effects; then replace.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public interface LiveEntries<K, V> {

  /** Begins a walk. One at a time. */
  Walk<K, V> walk();

  /**
   * Refuses to go on if this thread is running a function that computes a value of the map. A walk
   * waits for that function, so such a thread must not wait for a walk.
   *
   * @throws IllegalStateException if so; never by default
   */
  default void checkNotWithinFunction() {}

  /**
   * An entry, its parts read together.
   *
   * @param put what gave the entry its value
   * @param version the sequence number of that put
   */
  record LiveEntry<K, V>(Change.Put<K, V> put, long version) {}

  /** One walk over the entries, while the map is in use. */
  interface Walk<K, V> {

    /**
     * The entries, those that were used longest ago first. Each is read when it is its turn: what
     * was changed before this was called is seen, what is changed later may be. An entry whose key
     * is locked at its turn is waited for. To be asked for once.
     */
    Iterator<LiveEntry<K, V>> coldestFirst();

    /**
     * The saved entries are about to become the log's beginning. From now on the map does not rely
     * on either order of replay, that of the old beginning or that of the new.
     *
     * @return whether they may; if not, the map is being closed, and counts on the old beginning
     */
    boolean beforeSwitch();

    /**
     * The saved entries are the log's beginning, and survive what the log survives.
     *
     * @param sequence replay tells the saved entries in this walk's order, and then every change
     *     with a larger sequence number, and no other
     */
    void afterSwitch(long sequence);
  }
}
