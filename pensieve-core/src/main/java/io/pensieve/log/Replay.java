package io.pensieve.log;

/**
 * Receives a log's history while a map is being opened.
 *
 * <p>Calls may come from several threads, as long as those for one key come in order, each after
 * the one before it returned.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public interface Replay<K, V> {

  /**
   * A change, with the sequence number that {@link Log#append} gave it.
   *
   * @param sequence above zero; decides the LRU order: the larger, the later used
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
}
