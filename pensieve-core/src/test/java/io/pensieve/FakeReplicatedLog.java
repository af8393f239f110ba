package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.LiveEntries;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.LogException;
import io.pensieve.log.RecentChanges;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.ReplicatedLog;
import io.pensieve.log.StandbyMap;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A replicated log in memory whose test decides when it leads, what is acknowledged and what is
 * lost. It keeps the contract of {@link ReplicatedLog}, step by step.
 */
final class FakeReplicatedLog<K, V> implements ReplicatedLog<K, V> {
  /** A change that was appended and not acknowledged. */
  record Pending<K, V>(long sequence, Change<K, V> change, @Nullable LiveEntry<K, V> before) {}

  private static final long WAIT_MILLIS_MAX = 60_000; // then the test hangs

  private final List<LiveEntry<K, V>> saved = new ArrayList<>();
  private final Deque<Pending<K, V>> pending = new ArrayDeque<>();
  private final TreeMap<Long, CompletableFuture<Void>> waiting = new TreeMap<>();
  private final Set<Long> voids = new HashSet<>();
  private final List<ChangeStream.Sequenced<K, V>> committed = new ArrayList<>();
  private final RecentChanges<K, V> recent =
      new RecentChanges<>(1 << 20, Long.MAX_VALUE, change -> 0, 0);
  private final AtomicReference<@Nullable Runnable> atWait = new AtomicReference<>();
  private volatile Consumer<Change<K, V>> afterAppend = change -> {};
  private volatile CompletableFuture<Void> confirmation = CompletableFuture.completedFuture(null);
  private @Nullable StandbyMap<K, V> map;
  private @Nullable LiveEntries<K, V> entries;
  private boolean leading;
  private @Nullable LogException refusal;
  private long last;
  private long durable;
  private boolean closed;

  /** An entry of the snapshot that the map is opened with; the coldest first. */
  FakeReplicatedLog<K, V> saved(K key, V value, long version) {
    saved.add(new LiveEntry<>(new Change.Put<>(key, value), version));
    durable = Math.max(durable, version);
    last = durable;
    return this;
  }

  /** What tells whoever asks from now on that this node still leads. */
  void confirmLeadBy(CompletableFuture<Void> future) {
    confirmation = future;
  }

  @Override
  public CompletableFuture<Void> confirmLead() {
    return confirmation;
  }

  /** Runs on the appending thread, once the log has the change and before the map shows it. */
  void afterAppend(Consumer<Change<K, V>> action) {
    afterAppend = action;
  }

  /**
   * Runs once, on the thread that next asks what is durable, before it gets the answer: a reader
   * that has looked at the map.
   */
  void atNextWait(Runnable action) {
    atWait.set(action);
  }

  private void runAtWait() {
    Runnable action = atWait.getAndSet(null);
    if (action != null) {
      action.run();
    }
  }

  /** All changes that were ever acknowledged, in their order. */
  synchronized List<ChangeStream.Sequenced<K, V>> committed() {
    return List.copyOf(committed);
  }

  /** Refuses every append with this, though it leads; or no longer, if null. */
  synchronized void refuse(@Nullable LogException cause) {
    refusal = cause;
  }

  StandbyMap<K, V> map() {
    return requireNonNull(map, "no map follows yet");
  }

  LiveEntries<K, V> entries() {
    return requireNonNull(entries, "not attached");
  }

  /** Learns of a change that the leader made, and has not applied it yet. */
  synchronized void commit(long sequence, Change<K, V> change) {
    voids.remove(sequence);
    committed.add(new ChangeStream.Sequenced<>(sequence, change));
    acknowledgeUpTo(sequence);
    last = Math.max(last, sequence);
  }

  /** Applies a change that the leader made. */
  void apply(long sequence, Change<K, V> change) {
    commit(sequence, change);
    map().apply(sequence, change);
    recent.add(sequence, change);
  }

  /** Installs a saved state, coldest first. */
  void install(List<LiveEntry<K, V>> state) {
    state.forEach(entry -> acknowledgeUpTo(entry.version()));
    map().replaceAll(state.iterator());
  }

  /** Leads from now on, with sequence numbers above this one. */
  void lead(long above) {
    synchronized (this) {
      last = Math.max(last, above);
      leading = true;
    }
    map().promote();
  }

  /** Acknowledges everything that was appended. */
  synchronized void acknowledgeAll() {
    acknowledge(Integer.MAX_VALUE);
  }

  /** Acknowledges the first changes that wait for it, and returns them. */
  synchronized List<Pending<K, V>> acknowledge(int changes) {
    List<Pending<K, V>> acknowledged = new ArrayList<>();
    while (acknowledged.size() < changes && !pending.isEmpty()) {
      acknowledged.add(pending.removeFirst());
    }
    for (Pending<K, V> change : acknowledged) {
      committed.add(new ChangeStream.Sequenced<>(change.sequence(), change.change()));
      recent.add(change.sequence(), change.change());
    }
    if (!acknowledged.isEmpty()) {
      acknowledgeUpTo(acknowledged.get(acknowledged.size() - 1).sequence());
    }
    return acknowledged;
  }

  private synchronized void acknowledgeUpTo(long sequence) {
    durable = Math.max(durable, sequence);
    var done = waiting.headMap(durable, true);
    done.values().forEach(future -> future.complete(null));
    done.clear();
    notifyAll();
  }

  /** Loses the leadership, and everything that was not acknowledged. Returns that, oldest first. */
  List<Pending<K, V>> lose() {
    List<Pending<K, V>> lost = closeGate();
    undo(lost);
    return lost;
  }

  /** The first two steps of {@link #lose}: refuses appends, and fails all waiters. */
  synchronized List<Pending<K, V>> closeGate() {
    List<Pending<K, V>> lost = List.copyOf(pending);
    leading = false;
    pending.clear();
    lost.forEach(change -> voids.add(change.sequence()));
    waiting.values().forEach(future -> future.completeExceptionally(unknown()));
    waiting.clear();
    notifyAll();
    return lost;
  }

  /** The rest of {@link #lose}. */
  void undo(List<Pending<K, V>> lost) {
    map().demote();
    for (int i = lost.size() - 1; i >= 0; i--) {
      map().revert(lost.get(i).change().key(), lost.get(i).before());
    }
    map().reverted();
  }

  private static LogException unknown() {
    return new LogException.OutcomeUnknown("the lead is lost");
  }

  @Override
  public RecoveryReport replay(ReplayHandler<K, V> handler) {
    for (int i = 0; i < saved.size(); i++) {
      handler.entry(saved.get(i).put(), saved.get(i).version(), i + 1L);
    }
    return RecoveryReport.empty();
  }

  @Override
  public void attach(LiveEntries<K, V> live) {
    entries = live;
  }

  @Override
  public void follow(StandbyMap<K, V> standby) {
    map = standby;
  }

  @Override
  public synchronized boolean isVoid(long sequence) {
    return voids.contains(sequence);
  }

  @Override
  public long append(Change<K, V> change) {
    long sequence = add(change);
    afterAppend.accept(change);
    return sequence;
  }

  @Override
  public long[] appendAtomically(List<Change<K, V>> changes) {
    long[] sequences = addAll(changes);
    changes.forEach(afterAppend);
    return sequences;
  }

  private synchronized long[] addAll(List<Change<K, V>> changes) {
    return changes.stream().mapToLong(this::add).toArray();
  }

  private synchronized long add(Change<K, V> change) {
    if (closed) {
      throw new IllegalStateException("closed");
    } else if (!leading) {
      throw new LogException.ReadOnly("another node leads");
    } else if (refusal != null) {
      throw refusal;
    }
    pending.addLast(new Pending<>(++last, change, map().entry(change.key())));
    return last;
  }

  @Override
  public ChangeStream<K, V> changes() {
    return recent.changes();
  }

  @Override
  public ChangeStream<K, V> changes(long since) {
    return recent.changes(since);
  }

  @Override
  public long durableSequence() {
    runAtWait();
    synchronized (this) {
      return durable;
    }
  }

  @Override
  public synchronized void awaitDurable(long sequence) {
    boolean interrupted = false;
    long begun = System.nanoTime();
    while (durable < sequence) {
      if (!leading || voids.contains(sequence)) {
        throw unknown();
      }
      try {
        wait(WAIT_MILLIS_MAX);
        if (System.nanoTime() - begun > WAIT_MILLIS_MAX * 1_000_000) {
          throw new AssertionError("nobody acknowledges " + sequence);
        }
      } catch (InterruptedException goOnWaiting) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public CompletableFuture<Void> whenDurable(long sequence) {
    runAtWait();
    return future(sequence);
  }

  private synchronized CompletableFuture<Void> future(long sequence) {
    if (durable >= sequence) {
      return CompletableFuture.completedFuture(null);
    }
    return leading
        ? waiting.computeIfAbsent(sequence, s -> new CompletableFuture<>())
        : CompletableFuture.failedFuture(unknown());
  }

  @Override
  public synchronized void close() {
    closed = true;
    recent.close();
  }
}
