package io.pensieve.log;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToLongFunction;

/**
 * The log of a map's changes, and the extension point of a durable map. {@link
 * io.pensieve.log.file.FileLog} stores the changes in a folder, {@link #none()} discards them.
 * Others can implement this interface.
 *
 * <p>Life cycle: {@link #replay} once, when a map is opened on the log, then appends from any
 * thread, then {@link #close}.
 *
 * <p>The map promises the log: it appends a change before the change is visible, and it appends the
 * changes of one key one after another. The log promises the map: an acknowledged change is
 * replayed after a crash of the log's kind. If a change is replayed, so is every change that was
 * acknowledged before it.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public interface Log<K, V> extends AutoCloseable {

  /**
   * Returns a log that keeps nothing: the map is then a plain LRU map in memory. The log gives no
   * sequence numbers; the map generates versions that increase for each key.
   */
  static <K, V> Log<K, V> none() {
    return new NoLog<>();
  }

  /**
   * Returns a log that keeps only the most recent changes, in memory, for {@link #changes()} and
   * {@link #changes(long)}. For older changes, and those of an earlier process, it throws {@link
   * LogException.HistoryTruncated}. It supports {@link #appendAtomically}. It holds references to
   * the keys and values of the changes it keeps. All writers share its lock, which slows down
   * writers of different keys.
   *
   * @param changes how many are kept, from 1 to 16,777,216
   * @throws IllegalArgumentException if it is out of that range
   */
  static <K, V> Log<K, V> inMemory(int changes) {
    return inMemory(changes, Long.MAX_VALUE, change -> 0);
  }

  /**
   * As {@link #inMemory(int)}, with a bound on the total weight of the kept changes, so that a few
   * large ones cannot fill the memory. The last change is kept whatever it weighs.
   *
   * @param weight the maximum total weight, 1 or more
   * @param weigher returns the weight of a change, 0 or more and each time the same. It must not
   *     throw, and runs under a lock that all writers need
   * @throws IllegalArgumentException if a number is out of its range
   */
  static <K, V> Log<K, V> inMemory(
      int changes, long weight, ToLongFunction<? super Change<K, V>> weigher) {
    return new InMemoryLog<>(changes, weight, weigher, InstantSource.system());
  }

  /**
   * Replays the whole history, oldest change first. A log that was compacted replays its saved
   * entries, and then the changes since. Called once, before any append.
   *
   * <p>A log belongs to the map for which it was replayed, and that map closes it. If this method
   * throws, it has released everything that it had opened: nobody closes this log then, and a
   * second call may succeed. So a log opens its resources here, and not earlier.
   *
   * @throws LogException if the history cannot be read; the map is then not opened
   * @throws IllegalStateException if this log was replayed already, for a map that stays usable;
   *     only a log that keeps nothing at all, as {@link #none()}, may be shared
   */
  RecoveryReport replay(ReplayHandler<K, V> handler);

  /**
   * Gives the log access to the map's entries, so that it can compact itself. Called once, after
   * {@link #replay} and before any append. A log that keeps its whole history ignores it, as this
   * method does by default.
   */
  default void attach(LiveEntries<K, V> live) {}

  /**
   * Appends a change to the history. Many threads call this at once; the calls for one key come one
   * after another.
   *
   * @return the change's sequence number, which becomes the entry's version: above zero, up to
   *     2<sup>61</sup>, and above that of every append that returned before this one began
   * @throws LogException if the change cannot be appended; the map then stays as it was
   * @throws IllegalArgumentException if the key or the value cannot be written, for example because
   *     it is too large
   */
  long append(Change<K, V> change);

  /**
   * Appends several changes atomically: after a crash either all of them are replayed, or none.
   * Otherwise as {@link #append}, for all of their keys at once: no other thread changes any of
   * these keys from before this call until all changes are visible.
   *
   * @param changes each of another key, none of them a {@link Change.Touch}; at least one
   * @return the sequence number of each, ascending; none is acknowledged before all are
   * @throws UnsupportedOperationException if this log does not support it, as by default
   * @throws IllegalArgumentException also if there are none, one of them is a touch, or they are
   *     too large together
   */
  default long[] appendAtomically(List<Change<K, V>> changes) {
    throw new UnsupportedOperationException("this log cannot append several changes as one");
  }

  /**
   * Called by a thread after it has appended and unlocked all keys. A log that cannot keep up may
   * make the thread wait here for a moment. In {@link #append} other threads would wait with it.
   * Does nothing by default. An interrupt does not end the wait; the thread's flag is kept.
   */
  default void throttle() {}

  /**
   * Opens a stream of the changes that are acknowledged after this call. If appends overlap in
   * time, it may include some that were acknowledged just before.
   *
   * @throws UnsupportedOperationException if this log does not support it, as by default
   */
  default ChangeStream<K, V> changes() {
    throw new UnsupportedOperationException("this log cannot tell its changes");
  }

  /**
   * Opens a stream of the acknowledged changes with a larger sequence number than this. It includes
   * changes made before this call.
   *
   * @param since 0 or more; for example the sequence number of a change that a stream has
   *     delivered, even before a restart
   * @throws LogException.HistoryTruncated if the log was compacted beyond that number, or lost that
   *     change, or never gave that number: then it comes from a log that was here before, or was
   *     copied
   * @throws IllegalArgumentException if {@code since} is negative
   * @throws UnsupportedOperationException if this log does not support it, as by default
   */
  default ChangeStream<K, V> changes(long since) {
    throw new UnsupportedOperationException("this log cannot tell its changes");
  }

  /** The counters of this log since it was opened, and its state; all zero if it has none. */
  default LogStatistics statistics() {
    return LogStatistics.NONE;
  }

  /**
   * Every change up to this sequence number is acknowledged: it survives what this log promises to
   * survive. May be called at any time, also before {@link #replay}.
   *
   * <p>This and the next two methods are, by default, those of a log that acknowledges a change by
   * returning from {@link #append}: it always returns {@link Long#MAX_VALUE}, and nothing waits.
   * Any other log overrides all three.
   */
  default long durableSequence() {
    return Long.MAX_VALUE;
  }

  /**
   * Waits until {@link #durableSequence()} has reached a change. An interrupt does not end the
   * wait, and the thread's flag is kept: the change is in the log and cannot be retracted.
   *
   * @throws LogException if the log failed before the change was acknowledged; whether it survives
   *     is then unknown
   */
  default void awaitDurable(long sequence) {}

  /**
   * As {@link #awaitDurable}, without waiting: the future completes when the change is
   * acknowledged, or exceptionally with a {@link LogException}. Dependent actions may run on a
   * thread of the log, one after another with those of other futures, so they should be short. They
   * may write to the log, and wait for it.
   */
  default CompletableFuture<Void> whenDurable(long sequence) {
    return CompletableFuture.completedFuture(null);
  }

  /**
   * Copies the log to a folder while it is in use. The copy can be opened as it is. Returns when
   * the copy survives a power cut. It contains every change that was acknowledged before the call,
   * and a prefix of those appended meanwhile. If the backup fails, it deletes what it copied. If
   * the process dies meanwhile, opening the incomplete copy fails.
   *
   * @param folder must be empty or not exist
   * @throws UnsupportedOperationException if this log does not support it, as by default
   * @throws IllegalArgumentException if the folder is not empty
   * @throws java.io.UncheckedIOException if the copy cannot be written; the log stays usable
   */
  default void backup(Path folder) {
    throw new UnsupportedOperationException("this log cannot be backed up to a folder: " + folder);
  }

  /**
   * Compacts now: saves the map's entries, and deletes the changes before. Returns when the entries
   * have replaced the history before this call. A log that compacts itself does so when due,
   * without this call.
   *
   * @throws UnsupportedOperationException if this log does not support it, as by default
   * @throws java.io.UncheckedIOException if the log could not write the entries, for example
   *     because the disk is full; the log continues unchanged
   */
  default void compact() {
    throw new UnsupportedOperationException("this log cannot be compacted");
  }

  /**
   * Writes and forces everything that was appended, and releases all resources. A second call does
   * nothing. A later append throws an {@link IllegalStateException}.
   */
  @Override
  void close();
}
