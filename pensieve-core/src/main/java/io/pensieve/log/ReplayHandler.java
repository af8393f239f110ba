package io.pensieve.log;

import java.util.Optional;

/**
 * Receives a log's history while a map is being opened: from one thread, the oldest change first. A
 * log may ask to replay {@linkplain #unordered in any order} instead.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public interface ReplayHandler<K, V> {

  /**
   * Receives a change, with the sequence number that {@link Log#append} gave it.
   *
   * @param sequence from 1 to 2<sup>61</sup>; decides the LRU order: a larger one was used later
   */
  void change(long sequence, Change<K, V> change);

  /**
   * Receives an entry that was live when the log was compacted. A later change for the same key
   * with a sequence below {@code version} is older than the entry and has no effect.
   *
   * @param put the put that gave the entry its value
   * @param version the sequence number of that put
   * @param stamp when the entry was last used; compares with the sequences of changes
   */
  void entry(Change.Put<K, V> put, long version, long stamp);

  /**
   * Receives the progress of the replay; called from time to time.
   *
   * @param bytesRead how many bytes are done
   * @param bytesTotal how many there are, or 0 if unknown
   */
  void progress(long bytesRead, long bytesTotal);

  /**
   * Returns this receiver in a form for a log that replays several parts of its history in
   * parallel. Empty by default: the history must then be replayed in order. {@link #progress} is
   * still called on this object, and by one thread at a time.
   */
  default Optional<Unordered<K, V>> unordered() {
    return Optional.empty();
  }

  /**
   * Receives a history in any order and from any number of threads. Sequences and stamps decide the
   * outcome: of a key's changes, the one with the largest sequence wins, whenever it comes. The log
   * must not replay a change whose sequence is below the version of an entry of the same key.
   *
   * @param <K> the type of keys
   * @param <V> the type of values
   */
  interface Unordered<K, V> {

    /**
     * As {@link ReplayHandler#change}.
     *
     * @param stamp above zero; decides the LRU order. Orders like {@code sequence}, but should have
     *     smaller gaps
     */
    void change(long sequence, long stamp, Change<K, V> change);

    /** As {@link ReplayHandler#entry}; the stamp compares with those of changes. */
    void entry(Change.Put<K, V> put, long version, long stamp);

    /**
     * Every change with a sequence up to this one was replayed. The log should call this from time
     * to time. Until then the receiver must remember each removed key, because an earlier put of it
     * may follow.
     */
    void completeUpTo(long sequence);

    /**
     * Tells how much follows, so that the receiver can make room for it at once. The log should
     * call this once when it has replayed a small part of its history, while no other thread calls
     * this object. Ignored by default.
     *
     * @param bytesReplayed how many bytes were replayed, above 0
     * @param bytesTotal how many there are
     */
    default void expect(long bytesReplayed, long bytesTotal) {}

    /**
     * Whether the log must replay the whole history once more, from its beginning. The receiver
     * asks for it if it could not keep everything at once and now needs missing values. A log that
     * replays in any order must call this after everything was replayed, and comply. False by
     * default.
     */
    default boolean needsSecondPass() {
      return false;
    }
  }
}
