package io.pensieve.log;

import java.time.Duration;
import java.util.List;

/**
 * The changes of a log, in the order of their sequence numbers. Each is delivered once it is
 * acknowledged. The reader sets the pace: undelivered changes stay in the log and take no memory of
 * the stream.
 *
 * <p>Used by one thread at a time, except {@link #close}, which any thread may call. Touches are
 * not delivered.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public interface ChangeStream<K, V> extends AutoCloseable {

  /** A change with the sequence number that {@link Log#append} gave it. */
  record Sequenced<K, V>(long sequence, Change<K, V> change) {}

  /**
   * Returns the next changes: as many as are available without reading much at a time.
   *
   * @param patience how long to wait for the first one; not at all if zero
   * @return empty if none came in that time, or if this stream is closed
   * @throws LogException.HistoryTruncated if compaction removed changes that this stream has not
   *     delivered
   * @throws LogException.Corrupt if a change is damaged, and all before it were delivered
   * @throws LogException.Failed if the log has failed, and all changes before were delivered; or if
   *     it cannot be read now
   * @throws IllegalStateException if the log is closed, and all of it was delivered
   * @throws InterruptedException if it would have waited. Nothing is lost: an interrupted thread
   *     still gets the changes that are available
   */
  List<Sequenced<K, V>> next(Duration patience) throws InterruptedException;

  /**
   * The position up to which all changes were delivered: the last delivered change, or a later one
   * that was skipped. At first, the start of this stream. Another stream can continue from there.
   */
  long sequence();

  /** Releases the log, and wakes the thread that waits in {@link #next}. May be called twice. */
  @Override
  void close();
}
