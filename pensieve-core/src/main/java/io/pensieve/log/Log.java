package io.pensieve.log;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToLongFunction;

/**
 * Where a map's changes go: the point at which a durable map varies. {@link
 * io.pensieve.log.file.FileLog} keeps them in a folder, {@link #none()} forgets them; others can be
 * written against this interface.
 *
 * <p>The life of a log: {@link #replay} once, when a map is opened on it, then appends from any
 * thread, then {@link #close}.
 *
 * <p>What the map promises the log: it appends a change before anyone can see it, and appends the
 * changes of one key one after another. What the log promises the map: a change that was
 * acknowledged is replayed after a crash of the log's kind, and if a change is replayed, so is
 * every one that was acknowledged before it.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public interface Log<K, V> extends AutoCloseable {

  /**
   * A log that keeps nothing: the map is then a plain LRU map in memory. It gives no sequence
   * numbers either; the versions of the map's entries grow from change to change of one key.
   */
  static <K, V> Log<K, V> none() {
    return new NoLog<>();
  }

  /**
   * A log that keeps nothing but the last changes, in memory, so that {@link #changes()} and {@link
   * #changes(long)} can tell them; of older ones, and those of an earlier life, it says that they
   * are forgotten. It takes changes together. It holds on to the keys and values of what it keeps,
   * and slows down writers of different keys by a lock that they share.
   *
   * @param changes how many are kept, from 1 to 16,777,216
   * @throws IllegalArgumentException if it is another number
   */
  static <K, V> Log<K, V> inMemory(int changes) {
    return inMemory(changes, Long.MAX_VALUE, change -> 0);
  }

  /**
   * The same, with a bound to what the changes weigh that are kept, so that a few that are large
   * cannot fill the memory. The last change is kept whatever it weighs.
   *
   * @param weight how much all that are kept may weigh, 1 or more
   * @param weigher what a change weighs, 0 or more, and each time the same; it must not throw, and
   *     is called with a lock held that all writers need
   * @throws IllegalArgumentException if a number is out of its range
   */
  static <K, V> Log<K, V> inMemory(
      int changes, long weight, ToLongFunction<? super Change<K, V>> weigher) {
    return new InMemoryLog<>(changes, weight, weigher, InstantSource.system());
  }

  /**
   * Tells the whole history, oldest change first; a log that was compacted tells the entries that
   * its older history had led to, and then the changes since. Called once, before any append.
   *
   * <p>A log belongs to the map for which it was replayed, and that map closes it. If this throws,
   * it has let go of all that it had opened: nobody closes this log then, and a second call may do
   * better. So a log that opens something does that here, and not earlier.
   *
   * @throws LogException if the history cannot be read; the map is then not opened
   * @throws IllegalStateException if this log was replayed already, for a map that goes on with it;
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
   * Adds a change to the end of the history. Called by many threads at once; the calls for one key
   * come one after another.
   *
   * @return the change's sequence number, which becomes the entry's version: above zero, up to
   *     2<sup>61</sup>, and above that of every append that returned before this one began
   * @throws LogException if the change cannot be appended; the map then stays as it was
   * @throws IllegalArgumentException if the key or the value cannot be written, for example because
   *     it is too large
   */
  long append(Change<K, V> change);

  /**
   * Adds several changes as one: after a crash either all of them are replayed, or none. Otherwise
   * as {@link #append}, for all of their keys at once: from before this call until all of them can
   * be seen, nobody else changes any of these keys.
   *
   * @param changes each of another key, none of them a {@link Change.Touch}; at least one
   * @return the sequence number of each, ascending; none is acknowledged before all are
   * @throws UnsupportedOperationException if this log cannot do that, as by default
   * @throws IllegalArgumentException also if there are none, one of them is a touch, or they are
   *     too large together
   */
  default long[] appendAtomically(List<Change<K, V>> changes) {
    throw new UnsupportedOperationException("this log cannot append several changes as one");
  }

  /**
   * Called by a thread after it has appended, when it has let go of all keys: a log that its
   * writers outrun may let the thread wait for a moment, so that it need not do so in {@link
   * #append}, where others would wait with it. Does nothing by default. Not ended by an interrupt,
   * whose flag is kept.
   */
  default void throttle() {}

  /**
   * Tells the changes that are acknowledged after this call, as they are made. Of appends that
   * overlap in time, some that were acknowledged just before may be among them.
   *
   * @throws UnsupportedOperationException if this log cannot do that, as by default
   */
  default ChangeStream<K, V> changes() {
    throw new UnsupportedOperationException("this log cannot tell its changes");
  }

  /**
   * Tells the changes that are acknowledged, from the first one on that has a larger sequence
   * number than this, also if it was made before this call.
   *
   * @param since 0 or more; may be the sequence number of a change that a stream has told, before a
   *     restart too
   * @throws LogException.HistoryTruncated if the log has been compacted beyond that, or has lost
   *     that, or has never given that number: then another log has, that was here before, or was
   *     copied
   * @throws IllegalArgumentException if {@code since} is negative
   * @throws UnsupportedOperationException if this log cannot do that, as by default
   */
  default ChangeStream<K, V> changes(long since) {
    throw new UnsupportedOperationException("this log cannot tell its changes");
  }

  /** What this log has done since it was opened, and how it stands; all zero if it does not say. */
  default LogStatistics statistics() {
    return LogStatistics.NONE;
  }

  /**
   * Every change up to this sequence number is acknowledged: it survives what this log promises to
   * survive. A log that acknowledges a change by returning from {@link #append} answers {@link
   * Long#MAX_VALUE}, always. May be asked at any time, also before {@link #replay}.
   */
  long durableSequence();

  /**
   * Waits until {@link #durableSequence()} has reached a change. Not ended by an interrupt, whose
   * flag is kept: the change is in the log and cannot be taken back.
   *
   * @throws LogException if the log failed before the change was acknowledged; whether it survives
   *     is then not known
   */
  void awaitDurable(long sequence);

  /**
   * As {@link #awaitDurable}, without waiting: the future completes when the change is
   * acknowledged, or exceptionally with a {@link LogException}. Actions that depend on it may run
   * on a thread of the log's, one after another with those of other futures, so they should be
   * short; they may write to the log, and wait for it.
   */
  CompletableFuture<Void> whenDurable(long sequence);

  /**
   * Copies the log, while it is in use, to a folder where it can be opened as it is. Returns when
   * the copy survives a power cut; it then has every change that was acknowledged before the call,
   * and of those appended meanwhile a prefix. If it fails, what was copied is deleted; if the
   * process dies meanwhile, what is left is refused when it is opened.
   *
   * @param folder must be empty, or not there yet
   * @throws UnsupportedOperationException if this log cannot do that, as by default
   * @throws IllegalArgumentException if the folder is not empty
   * @throws java.io.UncheckedIOException if the copy could not be written; the log goes on
   */
  default void backup(Path folder) {
    throw new UnsupportedOperationException("this log cannot be backed up to a folder: " + folder);
  }

  /**
   * Writes and forces everything that was appended and lets go of all resources. A second call does
   * nothing; an append after it is an {@link IllegalStateException}.
   */
  @Override
  void close();
}
