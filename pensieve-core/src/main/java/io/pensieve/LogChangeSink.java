package io.pensieve;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import io.pensieve.log.LogStatistics;
import io.pensieve.log.ReplicatedLog;
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
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Connects the table with the log. A change is in the log before it is visible, and readers see
 * only durable changes.
 *
 * <p>No dirty reads: whatever a caller observes (a value, an absence, a condition that did not
 * hold) must survive what the log promises to survive. So every observation passes {@link
 * #awaitValue} or {@link #awaitAbsence}, outside all locks. Some logs acknowledge a change by
 * appending it; for these, both methods return at once.
 */
final class LogChangeSink<K, V> implements ChangeSink<K, V> {
  // Every stamp is above it and every version below it: {@link #close} touches every entry.
  private static final ReplayBaseline NOT_KNOWN = new ReplayBaseline(-1, Long.MAX_VALUE);

  private final Log<K, V> log;
  private final Counters counters;
  private final RemovalWatermarks absences = new RemovalWatermarks();
  private final boolean durableByAppending;
  private final @Nullable ReplicatedLog<K, V> replicated; // null if only this map changes the log
  private volatile boolean standby;

  /**
   * How often lost changes were reverted. Afterwards the absences that they caused are no longer
   * among the {@link RemovalWatermarks}. So whoever observes an absence in steps (finds nothing,
   * then reads the watermark) reads this number first, and checks it last.
   */
  private volatile long era;

  private volatile boolean closed; // set once, under this monitor

  @GuardedBy("this")
  private @Nullable Thread closer; // set just before `closed`

  @GuardedBy("this")
  private boolean closedWholly; // the closing thread has finished

  private final AtomicLong visibleSequence = new AtomicLong(); // see VisibleChangeStream

  @GuardedBy("this")
  private ReplayBaseline baseline = NOT_KNOWN;

  LogChangeSink(Log<K, V> log, Counters counters) {
    this.log = log;
    this.counters = counters;
    this.durableByAppending = log.durableSequence() == Long.MAX_VALUE;
    this.replicated = log instanceof ReplicatedLog<K, V> replicatedLog ? replicatedLog : null;
  }

  @Override
  public long put(K key, V value, long expiryMillis) {
    checkWritable();
    long sequence = log.append(new Change.Put<>(key, value, expiryMillis));
    try {
      counters.put();
    } catch (Throwable notCounted) {
      // The log has the change, so the map must have it as well.
    }
    return sequence;
  }

  @Override
  public long remove(K key) {
    checkWritable();
    int stripe = RemovalWatermarks.stripe(key); // before the append: hashCode() may throw
    long sequence = log.append(new Change.Remove<>(key));
    try {
      if (!durableByAppending) {
        absences.recordRemoval(stripe, sequence);
      }
    } catch (Throwable noRoom) {
      absences.atLeast = sequence; // for all keys: the log has the change, so the map must have it
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

  // Every log supports a single change.
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

  @Override
  public boolean mayPostponeEviction(Throwable refusal) {
    return refusal instanceof LogException.ReadOnly || refusal instanceof LogException.Overloaded;
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

  /** Whether the log alone changes the map. */
  boolean isStandby() {
    return standby;
  }

  void setStandby(boolean isStandby) {
    standby = isStandby;
    if (isStandby) {
      beginEra(); // what a write has found is of a lead that is over
    }
  }

  /**
   * Called before a write looks at the map.
   *
   * @return the current {@link #era()}
   * @throws LogException.ReadOnly if the log alone changes the map
   */
  long beginWrite() {
    if (replicated == null) {
      return 0;
    }
    long begun = era;
    checkOpen();
    if (standby) {
      throw new LogException.ReadOnly("this map is a standby: only its log changes it");
    }
    return begun;
  }

  /** Waits if this thread appends faster than the log can compact. */
  void throttle() {
    log.throttle();
  }

  /** A number for {@link #checkEra}; to be read before the map is. */
  long era() {
    return replicated == null ? 0 : era;
  }

  /**
   * Checks that no lead has ended and no lost change was reverted since. Called after the watermark
   * of an absence was read.
   */
  void checkEra(long begun) {
    if (replicated != null && era != begun) {
      throw new LogException.OutcomeUnknown(
          "changes were lost with the leadership, and this may have seen one of them");
    }
  }

  /** Whether {@link #checkEra} would pass. */
  boolean isEra(long begun) {
    return replicated == null || era == begun;
  }

  /** Makes an absence wait for this sequence. */
  void recordRemoval(int stripe, long sequence) {
    absences.recordRemoval(stripe, sequence);
  }

  /** All lost changes were reverted: no absence is due to them any more. */
  void endReverting() {
    beginEra(); // before the watermarks are lowered
    absences.lowerTo(log.durableSequence());
  }

  private void beginEra() {
    long next = era + 1; // one thread at a time
    era = next;
  }

  /** Waits until a value of this version is durable and may be returned. */
  void awaitValue(long version) throws LogException {
    if (durableByAppending) {
      return;
    }
    if (version > log.durableSequence()) {
      log.awaitDurable(version);
    }
    if (replicated != null) {
      checkNotVoid(replicated, version);
    }
  }

  private static void checkNotVoid(ReplicatedLog<?, ?> log, long sequence) {
    if (log.isVoid(sequence)) {
      throw new LogException.OutcomeUnknown(
          "the change " + sequence + " was lost with the leadership, and this depends on it");
    }
  }

  /** Waits until the absence of a key is durable, after the caller found it absent. */
  void awaitAbsence(Object key) throws LogException {
    if (!durableByAppending) {
      awaitValue(absences.lastRemoval(key));
    }
  }

  /** Whether a change can be appended and not yet durable. */
  boolean mayWait() {
    return !durableByAppending;
  }

  /** Waits until every absence observed so far is durable. */
  void awaitAbsences() throws LogException {
    if (!durableByAppending) {
      awaitValue(absences.lastRemoval());
    }
  }

  /**
   * Waits until the result of an update is durable, and returns it.
   *
   * @param begun what {@link #beginWrite} returned
   */
  UpdateResult<V> awaitDurable(K key, UpdateResult<V> result, long begun) throws LogException {
    log.throttle();
    if (result.version() == 0) {
      awaitAbsence(key);
      checkEra(begun);
    } else {
      awaitValue(result.version());
    }
    if (replicated != null && !result.changed()) {
      PendingWrite.await(confirmLead(replicated, begun));
    }
    return result;
  }

  // What a write has found that changed nothing.
  private CompletableFuture<Void> confirmLead(ReplicatedLog<K, V> mayBeOusted, long begun) {
    return mayBeOusted.confirmLead().thenRun(() -> checkEra(begun));
  }

  /** As {@link #whenDurable}, for what a write found that changed nothing. */
  CompletableFuture<Void> whenConfirmed(long sequence, long begun) {
    CompletableFuture<Void> durable = whenDurable(sequence);
    ReplicatedLog<K, V> mayBeOusted = replicated;
    return mayBeOusted == null
        ? durable
        : durable.thenCompose(found -> confirmLead(mayBeOusted, begun));
  }

  /**
   * The sequence that must be durable before a caller may see this version of a key. Version 0
   * means that the key is absent.
   */
  long sequence(Object key, long version) {
    return version == 0 ? absences.lastRemoval(key) : version;
  }

  /**
   * As {@link #whenDurable(long)}, for what a read has found. Fails in a later era: what was found
   * may have been lost, undone and then applied after all, and the map may not show it again yet.
   *
   * @param begun the {@link #era()} before the look
   */
  CompletableFuture<Void> whenDurable(long sequence, long begun) {
    CompletableFuture<Void> durable = whenDurable(sequence);
    return replicated == null || durableByAppending
        ? durable
        : durable.thenRun(() -> checkEra(begun));
  }

  CompletableFuture<Void> whenDurable(long sequence) {
    log.throttle();
    return whenAcknowledged(sequence);
  }

  private CompletableFuture<Void> whenAcknowledged(long sequence) {
    CompletableFuture<Void> durable = log.whenDurable(sequence);
    ReplicatedLog<K, V> mayLose = replicated;
    return mayLose == null || durableByAppending
        ? durable
        : durable.thenRun(() -> checkNotVoid(mayLose, sequence));
  }

  /** As {@link #awaitDurable}, without waiting. */
  PendingWrite<V> pendingWrite(K key, UpdateResult<V> result, long begun) {
    long version = result.version();
    long observed = sequence(key, version);
    if (version == 0) {
      checkEra(begun);
    }
    CompletableFuture<Void> durable =
        result.changed() ? whenDurable(observed) : whenConfirmed(observed, begun);
    return new PendingWrite<>(result.changed(), result.previous(), version, durable);
  }

  /** As {@link Log#changes()}, but delivers a change only once the table shows it. */
  ChangeStream<K, V> changes(LruTable<K, V> table) {
    return new VisibleChangeStream<>(log.changes(), table, visibleSequence);
  }

  /** As {@link Log#changes(long)}, but delivers a change only once the table shows it. */
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

  void compact() {
    checkOpen();
    log.compact();
  }

  /**
   * Sets the order that the table had at some point. From then on, replaying the log restores that
   * order.
   */
  synchronized void setReplayBaseline(ReplayBaseline newBeginning) {
    baseline = newBeginning;
  }

  /**
   * Marks the baseline as unknown until the next {@link #setReplayBaseline}.
   *
   * @return whether the caller may change the baseline; if not, {@link #close} relies on the
   *     current one
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
   * Closes the log, once. A later caller waits until that is done. Before closing, appends a touch
   * for every entry that a replay would otherwise put in a wrong place.
   *
   * @param coldestFirst supplies the entries in the order to keep
   * @param stampOf returns the time of an entry's last use
   */
  void close(
      Supplier<? extends Iterable<Node<K, V>>> coldestFirst, ToLongFunction<Node<K, V>> stampOf) {
    ReplayBaseline replayed = baselineOnClose();
    if (replayed == null) {
      awaitClosed();
      return;
    }
    try {
      if (replicated == null) {
        touchOutOfOrder(coldestFirst.get(), stampOf, replayed);
      }
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

  // The closing thread does not wait for itself.
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

  // In LRU order, the entries not used since the baseline come first, in the log's own order. Next
  // come the entries that were only written since: they are in the order of their versions, which
  // replay restores without help. From the first entry on that was read after its write, or that is
  // younger than such an entry, all need a touch in the log.
  //
  // The baseline is the state when the log was opened or last compacted. Compaction settles a
  // stamp, then records the log's end as `lastVersion`, then takes the order of the table. So an
  // entry whose stamp is still up to `lastStamp` was last written before `lastVersion`, and not
  // used since. It is among the saved entries, which are in the order of their stamps. Some of the
  // other entries are also among the saved ones, but their version is at most `lastVersion`: close
  // touches them, and everything after them. Replay puts every entry with a larger version after
  // all saved ones.
  //
  // A replicated log has the order from its leader, and its own way to save it.
  private void touchOutOfOrder(
      Iterable<Node<K, V>> coldestFirst,
      ToLongFunction<Node<K, V>> stampOf,
      ReplayBaseline replayed) {
    long lastInOrder = replayed.lastVersion();
    boolean outOfOrder = false;
    for (Node<K, V> node : coldestFirst) {
      if (node.value() == null || stampOf.applyAsLong(node) <= replayed.lastStamp()) {
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
