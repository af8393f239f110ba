package io.pensieve.log;

import java.time.Duration;
import java.util.List;

/**
 * The changes of a log, in the order of their sequence numbers, each when it is acknowledged.
 * Whoever reads one decides how fast: what is not read yet stays in the log, and takes no memory.
 *
 * <p>Belongs to one thread at a time, but for {@link #close}, which any thread may call. Touches
 * are not told.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public interface ChangeStream<K, V> extends AutoCloseable {

  /** A change with the sequence number that {@link Log#append} gave it. */
  record Sequenced<K, V>(long sequence, Change<K, V> change) {}

  /**
   * The next changes, as many as are at hand without reading much at a time.
   *
   * @param patience how long to wait for the first one; not at all if zero
   * @return empty if none came in that time, or if this stream is closed
   * @throws LogException.HistoryTruncated if the log was compacted beyond where this stream has
   *     come
   * @throws LogException.Corrupt if a change is damaged, and all before has been told
   * @throws LogException.Failed if the log has failed, and all before has been told; or if it
   *     cannot be read now
   * @throws IllegalStateException if the log is closed, and all of it has been told
   * @throws InterruptedException if it would have waited; nothing is lost, and what is at hand is
   *     told all the same
   */
  List<Sequenced<K, V>> next(Duration patience) throws InterruptedException;

  /**
   * Up to here all changes were told: that of the last one or, where changes were passed over,
   * beyond; at first, where this stream has begun. Another stream goes on from there.
   */
  long sequence();

  /** Lets go of the log, and wakes the thread that waits in {@link #next}. May be called twice. */
  @Override
  void close();
}
