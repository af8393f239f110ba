package io.pensieve;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import io.pensieve.log.LogStatistics;
import io.pensieve.lru.ChangeSink;
import io.pensieve.lru.LruTable;
import io.pensieve.lru.Node;
import io.pensieve.lru.TableRestorer.ReplayBaseline;
import io.pensieve.lru.UpdateResult;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Brings the table and the log together: changes go to the log before they are visible, and nothing
 * is shown before it is durable.
 *
 * <p>No dirty reads: whatever anyone has observed (a value, an absence, a condition that did not
 * hold) must survive what the log promises to survive. Every observation therefore passes {@link
 * #awaitValue} or {@link #awaitAbsence}, outside all locks. For a log that acknowledges a change by
 * appending it, both return at once.
 */
final class LogChangeSink<K, V> implements ChangeSink<K, V> {
  // All stamps and no version are beyond it: every entry is touched.
  private static final ReplayBaseline NOT_KNOWN = new ReplayBaseline(-1, Long.MAX_VALUE);

  private final Log<K, V> log;
  private final Counters counters;
  private final RemovalWatermarks absences = new RemovalWatermarks();
  private final boolean durableByAppending;
  private volatile boolean closed; // set once, by who has this
  private @Nullable Thread closer; // before that; guarded by this
  private boolean closedWholly; // the closer has done all; guarded by this
  private final AtomicLong visibleSequence = new AtomicLong(); // see VisibleChangeStream
  private ReplayBaseline baseline = NOT_KNOWN; // guarded by this

  LogChangeSink(Log<K, V> log, Counters counters) {
    this.log = log;
    this.counters = counters;
    this.durableByAppending = log.durableSequence() == Long.MAX_VALUE;
  }

  @Override
  public long put(K key, V value, long expiryMillis) {
    checkWritable();
    long sequence = log.append(new Change.Put<>(key, value, expiryMillis));
    try {
      counters.put();
    } catch (Throwable notCounted) {
      // The log has the change, so the map must have it, too.
    }
    return sequence;
  }

  @Override
  public long remove(K key) {
    checkWritable();
    int stripe = RemovalWatermarks.stripe(key); // before the append: a key's hash may throw
    long sequence = log.append(new Change.Remove<>(key));
    try {
      if (!durableByAppending) {
        absences.recordRemoval(stripe, sequence);
      }
    } catch (Throwable noRoom) {
      absences.atLeast = sequence; // of all keys: the log has the change, the map must have it, too
    }
    return sequence;
  }

  @Override
  public long[] applyAtomically(List<KeyChange<K, V>> entries) {
    if (entries.size() == 1) {
      long[] sequence = new long[1];
      sequence[0] = applyOne(entries.get(0));
      return sequence;
    }
    checkWritable();
    List<Change<K, V>> changes = new ArrayList<>(entries.size());
    int[] stripes = new int[entries.size()];
    for (int i = 0; i < stripes.length; i++) {
      changes.add(change(entries.get(i)));
      stripes[i] = RemovalWatermarks.stripe(entries.get(i).key());
    }
    long[] sequences = log.appendAtomically(changes);
    try {
      recordRemovals(changes, stripes, sequences);
    } catch (Throwable noRoom) {
      absences.atLeast = sequences[sequences.length - 1];
    }
    return sequences;
  }

  private void recordRemovals(List<Change<K, V>> changes, int[] stripes, long[] sequences) {
    for (int i = 0; i < sequences.length; i++) {
      if (changes.get(i) instanceof Change.Put) {
        counters.put();
      } else if (!durableByAppending) {
        absences.recordRemoval(stripes[i], sequences[i]);
      }
    }
  }

  // Every log can do that.
  private long applyOne(KeyChange<K, V> keyChange) {
    V value = keyChange.value();
    return value == null
        ? remove(keyChange.key())
        : put(keyChange.key(), value, keyChange.expiryMillis());
  }

  private static <K, V> Change<K, V> change(KeyChange<K, V> keyChange) {
    V value = keyChange.value();
    return value == null
        ? new Change.Remove<>(keyChange.key())
        : new Change.Put<>(keyChange.key(), value, keyChange.expiryMillis());
  }

  private void checkWritable() {
    checkOpen();
    ListenerDepth.checkDepth();
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the map is closed");
    }
  }

  /** Waits until a value of this version may be shown. */
  void awaitValue(long version) throws LogException {
    if (!durableByAppending && version > log.durableSequence()) {
      log.awaitDurable(version);
    }
  }

  /** Waits until a key that was found absent may be called absent. */
  void awaitAbsence(Object key) throws LogException {
    if (!durableByAppending) {
      awaitValue(absences.lastRemoval(key));
    }
  }

  /** Whether there may be something to wait for. */
  boolean mayWait() {
    return !durableByAppending;
  }

  /** Waits until every key that was found absent by now may be called absent. */
  void awaitAbsences() throws LogException {
    if (!durableByAppending) {
      awaitValue(absences.lastRemoval());
    }
  }

  /** Waits until what became of a key may be told, and answers it. */
  UpdateResult<V> awaitDurable(K key, UpdateResult<V> result) throws LogException {
    log.throttle();
    if (result.version() == 0) {
      awaitAbsence(key);
    } else {
      awaitValue(result.version());
    }
    return result;
  }

  /** What must be durable before a key may be told with this version; 0 if it is absent. */
  long sequence(Object key, long version) {
    return version == 0 ? absences.lastRemoval(key) : version;
  }

  CompletableFuture<Void> whenDurable(long sequence) {
    log.throttle();
    return log.whenDurable(sequence);
  }

  /** As {@link #awaitDurable}, without waiting. */
  PendingWrite<V> pendingWrite(K key, UpdateResult<V> result) {
    long version = result.version();
    log.throttle();
    return new PendingWrite<>(
        result.changed(), result.previous(), version, log.whenDurable(sequence(key, version)));
  }

  /** As {@link Log#changes()}, but told when the table shows them. */
  ChangeStream<K, V> changes(LruTable<K, V> table) {
    return new VisibleChangeStream<>(log.changes(), table, visibleSequence);
  }

  /** As {@link Log#changes(long)}, but told when the table shows them. */
  ChangeStream<K, V> changes(LruTable<K, V> table, long since) {
    return new VisibleChangeStream<>(log.changes(since), table, visibleSequence);
  }

  LogStatistics statistics() {
    return log.statistics();
  }

  void backup(Path folder) {
    checkOpen();
    log.backup(folder);
  }

  /** From here on, replaying gives the order that the table had then. */
  synchronized void setReplayBaseline(ReplayBaseline newBeginning) {
    baseline = newBeginning;
  }

  /**
   * From here on, and until {@link #setReplayBaseline}, it is not known what replaying will begin
   * with.
   *
   * @return whether that may be; if not, {@link #close} relies on the beginning that it has seen
   */
  synchronized boolean clearReplayBaseline() {
    if (!closed) {
      baseline = NOT_KNOWN;
      return true;
    }
    return false;
  }

  private synchronized @Nullable ReplayBaseline baselineOnClose() {
    if (closed) {
      return null;
    }
    closer = Thread.currentThread();
    closed = true;
    return baseline;
  }

  /**
   * Closes the log, once; whoever comes later waits until that is done. Before that, appends a
   * touch for every entry that replaying the log would otherwise put in a wrong place.
   *
   * @param coldestFirst tells the entries in the order to be kept
   */
  void close(Supplier<? extends Iterable<Node<K, V>>> coldestFirst) {
    ReplayBaseline replayed = baselineOnClose();
    if (replayed == null) {
      awaitClosed();
      return;
    }
    try {
      touchOutOfOrder(coldestFirst.get(), replayed);
    } finally {
      try {
        log.close();
      } finally {
        endClosing();
      }
    }
  }

  private synchronized void endClosing() {
    closedWholly = true;
    closer = null;
    notifyAll();
  }

  // A thread that is closing already does not wait for itself.
  private synchronized void awaitClosed() {
    boolean interrupted = false;
    while (!closedWholly && closer != Thread.currentThread()) {
      try {
        wait();
      } catch (InterruptedException goOnWaiting) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  // What was not used since the beginning comes first, in the log's own order. Then come the
  // entries that were only written since: their order is that of their versions, which replaying
  // gives by itself. From the first one on that was read after it was written, or is younger than
  // such a one, the log must be told.
  //
  // The beginning is where the log was opened, or where it was last compacted. Compacting settles a
  // stamp, then notes the log's end as `lastVersion`, then takes the order of the table. So an
  // entry whose stamp is still up to `lastStamp` was last written before `lastVersion`, and not
  // used since: it is among the saved ones, and they are in the order of their stamps. Of the
  // others some are among the saved ones, too, but their version is up to `lastVersion`: they are
  // touched, as is everything after them. Whatever has a larger version is replayed after all saved
  // ones.
  private void touchOutOfOrder(Iterable<Node<K, V>> coldestFirst, ReplayBaseline replayed) {
    long lastInOrder = replayed.lastVersion();
    boolean outOfOrder = false;
    for (Node<K, V> node : coldestFirst) {
      if (node.value() == null || node.stamp() <= replayed.lastStamp()) {
        continue;
      }
      outOfOrder = outOfOrder || node.version() <= lastInOrder;
      lastInOrder = node.version();
      if (outOfOrder) {
        log.append(new Change.Touch<>(node.key()));
      }
    }
  }
}
