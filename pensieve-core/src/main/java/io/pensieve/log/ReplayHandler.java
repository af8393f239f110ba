package io.pensieve.log;

import java.util.Optional;

/**
 * Receives a log's history while a map is being opened: from one thread, in order, the oldest
 * change first. A log that can do more may ask whether it may tell {@linkplain #unordered in any
 * order}.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public interface ReplayHandler<K, V> {

  /**
   * A change, with the sequence number that {@link Log#append} gave it.
   *
   * @param sequence from 1 to 2<sup>61</sup>; decides the LRU order: the larger, the later used
   */
  void change(long sequence, Change<K, V> change);

  /**
   * An entry that was live when the log was compacted. A change with a sequence below {@code
   * version} that follows for the same key is older than the entry and has no effect.
   *
   * @param put what gave the entry its value
   * @param version the sequence number of that put
   * @param stamp when the entry was last used; compares with the sequences of changes
   */
  void entry(Change.Put<K, V> put, long version, long stamp);

  /**
   * How far replaying has come; called now and then.
   *
   * @param bytesRead how many bytes are done
   * @param bytesTotal how many there are, or 0 if that is not known
   */
  void progress(long bytesRead, long bytesTotal);

  /**
   * The same receiver for a log that tells its history in pieces, several at a time. Empty, as it
   * is by default, if the history has to be told in order. {@link #progress} is called here all the
   * same, and by one thread at a time.
   */
  default Optional<Unordered<K, V>> unordered() {
    return Optional.empty();
  }

  /**
   * Receives a history in any order and from any number of threads. The order that counts is that
   * of the sequences and stamps: of a key's changes, the one with the largest counts, whenever it
   * comes. No change may be told whose sequence is below the version of an entry of the same key.
   *
   * @param <K> the type of keys
   * @param <V> the type of values
   */
  interface Unordered<K, V> {

    /**
     * As {@link ReplayHandler#change}.
     *
     * @param stamp above zero; decides the LRU order in place of the sequence, as whose it has the
     *     same order; the fewer numbers lie unused between stamps, the better
     */
    void change(long sequence, long stamp, Change<K, V> change);

    /** As {@link ReplayHandler#entry}; the stamp compares with those of changes. */
    void entry(Change.Put<K, V> put, long version, long stamp);

    /**
     * Every change with a sequence up to this one has been told. To be called now and then: until
     * then a removed key has to be remembered, because a put from before its removal may follow.
     */
    void completeUpTo(long sequence);

    /**
     * Whether the whole history must be told once more, from its beginning: there was more of it
     * than the receiver could keep at a time, and something is missing that it needs after all.
     * Whoever tells in any order must ask this when everything has been told, and do it. By default
     * not.
     */
    default boolean needsSecondPass() {
      return false;
    }
  }
}
