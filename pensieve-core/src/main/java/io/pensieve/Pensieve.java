package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.log.ChangeStream;
import io.pensieve.log.Log;
import io.pensieve.log.RecoveryReport;
import io.pensieve.lru.TableRestorer;
import io.pensieve.lru.UpdateDecision;
import io.pensieve.lru.UpdateFunction;
import io.pensieve.lru.UpdateResult;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A bounded map that remembers: an LRU map whose changes go to a {@link io.pensieve.log.Log}, so
 * that its entries survive a restart, and with a {@link io.pensieve.log.file.FileLog} also a crash
 * or a power cut.
 *
 * <pre>{@code
 * try (var map = Pensieve.<String, String>builder()
 *     .maximumEntries(10_000)
 *     .log(FileLog.open(directory, Codec.utf8(), Codec.utf8(), Durability.POWER_CUT))
 *     .open()) {
 *   map.put("a", "b");
 * }
 * }</pre>
 *
 * <p><b>Order.</b> When an entry too many is put, the one used least recently is evicted. Every
 * method that answers a key's value or writes it is a use: {@link #get}, {@link #getOrDefault},
 * {@link #put}, {@link #putIfAbsent}, {@link #compute}, {@link #merge} and so on, also {@link
 * java.util.Map.Entry#setValue}. {@link #containsKey}, {@link #containsValue}, {@link #size},
 * iteration and conditional writes whose condition does not hold are not. From one thread the
 * evictions are exactly those of an access-ordered {@link java.util.LinkedHashMap}. When several
 * threads use the map, no entry is evicted while more than 1 % of the bound, or 8 if that is more,
 * stay that were last used before it. (A thread that takes over from one that has ended is not a
 * second one; uses of one entry that overlap in time count as one.)
 *
 * <p><b>Bound.</b> The map holds at most {@link #maximumEntries()} entries, and beyond them only
 * those that threads are adding at this moment. The same goes for what they weigh, if there is a
 * {@linkplain PensieveBuilder#maximumWeight bound} for that; with such a bound, the 1 % above is 0.
 *
 * <p><b>Expiry.</b> An entry may have a time at which it expires. From then on it is absent for
 * every method, view and iterator, also for conditions, and is removed within a second, by itself
 * or by a writer that comes upon it. See {@link PensieveBuilder#expireAfterWrite}.
 *
 * <p><b>Log.</b> Every change, by whichever method, view or iterator, is in the log before anyone
 * can see it; an eviction or an expiry is logged as a removal. A method returns when its change is
 * acknowledged at the log's level; the {@code submit} methods do not wait. Nobody sees what is not
 * yet acknowledged: a read that meets such a value, or such an absence, waits for it.
 *
 * <p><b>Failure.</b> A write that the log refuses throws a {@link io.pensieve.log.LogException} and
 * changes nothing. When waiting for the acknowledgement fails, or logging the eviction that a write
 * made necessary, the write itself may or may not survive. After a failure of the log all writes
 * are refused, and reads go on for what is durable.
 *
 * <p><b>Threads.</b> All methods may be called from all threads. Reads take no lock. Writes of one
 * key come one after another, those of different keys side by side. The functions given to {@link
 * #compute} and its like run once, while their key alone is locked: they may be slow and may read
 * this map, but every method that writes to it, whatever the key, is refused within them with an
 * {@link IllegalStateException}, as is a batch, a stream of changes, and loading by {@link
 * #computeIfAbsent}; for two functions that wrote to each other's keys would wait for ever. If an
 * {@code Error} such as a {@link StackOverflowError} ends a method, its key is free afterwards, and
 * the change was made or was not. Iterators and views are weakly consistent, as those of {@link
 * java.util.concurrent.ConcurrentHashMap}. Neither keys nor values may be null.
 *
 * @param <K> the type of keys, with an {@code equals} and {@code hashCode} by content
 * @param <V> the type of values
 */
public final class Pensieve<K, V> extends ReadableMap<K, V>
    implements ConcurrentMap<K, V>, AutoCloseable {
  private final UpdateDecisions<K, V> updateDecisions;
  private final ExpiryReaper reaper;
  private final RecoveryReport recovery;

  Pensieve(PensieveBuilder<K, V> settings) {
    this(settings, new ExpiryReaper());
  }

  private Pensieve(PensieveBuilder<K, V> settings, ExpiryReaper reaper) {
    super(settings, reaper::ensureStarted);
    this.reaper = reaper;
    updateDecisions = new UpdateDecisions<>(capacity, settings.ttlMillis, counters);
    TableRestorer<K, V> restorer = table.restore();
    recovery = settings.log.replay(new TableReplayHandler<>(restorer, settings.progress));
    try { // from here on the log is this map's; before, it may be another one's
      journal.setReplayBaseline(restorer.finish());
      settings.log.attach(new LiveTableEntries<>(table, journal));
      reaper.attach(table);
    } catch (RuntimeException | Error failed) {
      closeAfter(failed, settings.log);
      throw failed;
    }
  }

  private void closeAfter(Throwable failed, Log<K, V> log) {
    reaper.stop();
    try {
      log.close();
    } catch (RuntimeException | Error alsoFailed) {
      failed.addSuppressed(alsoFailed);
    }
  }

  /** A builder with defaults: at most 1000 entries, no log. */
  public static <K, V> PensieveBuilder<K, V> builder() {
    return new PensieveBuilder<>();
  }

  /** The bound: how many entries this map holds at most; {@link Long#MAX_VALUE} if any number. */
  public long maximumEntries() {
    return capacity.maximumEntries();
  }

  /** What the log found when this map was opened. */
  public RecoveryReport recovery() {
    return recovery;
  }

  // ---- Writing

  @Override
  public @Nullable V put(K key, V value) {
    return update(key, updateDecisions.write(key, value)).previous();
  }

  /**
   * As {@link #put(Object, Object)}, of an entry that expires.
   *
   * @param ttl how long the entry lives from the moment of the write, in milliseconds, rounded up;
   *     for ever if it ends beyond the year 292 million
   * @throws IllegalArgumentException if {@code life} is not positive
   */
  public @Nullable V put(K key, V value, Duration ttl) {
    return update(key, updateDecisions.write(key, value, ttl)).previous();
  }

  /**
   * As {@link #put(Object, Object)}, but does not wait until the write is acknowledged.
   *
   * @throws io.pensieve.log.LogException if the log refuses the change, which then has no effect
   */
  public PendingWrite<V> putAsync(K key, V value) {
    return writeAsync(key, updateDecisions.write(key, value));
  }

  /** As {@link #put(Object, Object, Duration)}, but does not wait. */
  public PendingWrite<V> putAsync(K key, V value, Duration ttl) {
    return writeAsync(key, updateDecisions.write(key, value, ttl));
  }

  @Override
  public @Nullable V remove(Object key) {
    return updatePresent(typed(key), UpdateDecision.remove()).previous();
  }

  /**
   * As {@link #remove(Object)}, but does not wait until the removal is acknowledged.
   *
   * @throws io.pensieve.log.LogException if the log refuses the change, which then has no effect
   */
  public PendingWrite<V> removeAsync(K key) {
    return updatePresentAsync(key, UpdateDecision.remove());
  }

  @Override
  public boolean remove(Object key, @Nullable Object value) {
    return updatePresent(typed(key), UpdateDecisions.ifEqual(value, UpdateDecision.remove()))
        .changed();
  }

  @Override
  public @Nullable V putIfAbsent(K key, V value) {
    return update(key, UpdateDecisions.ifAbsent(updateDecisions.write(key, value))).previous();
  }

  /** As {@link #putIfAbsent}, but does not wait; the version is that of whoever is there then. */
  public PendingWrite<V> putIfAbsentAsync(K key, V value) {
    return writeAsync(key, UpdateDecisions.ifAbsent(updateDecisions.write(key, value)));
  }

  /** As {@link #putIfAbsentAsync(Object, Object)}, of an entry that expires. */
  public PendingWrite<V> putIfAbsentAsync(K key, V value, Duration ttl) {
    return writeAsync(key, UpdateDecisions.ifAbsent(updateDecisions.write(key, value, ttl)));
  }

  /**
   * Writes the value if the key's entry still has this version, and says whether it had. A use if
   * it had.
   *
   * @param version as {@link #getVersioned} or a {@link PendingWrite} told it
   */
  public boolean replaceIfVersion(K key, long version, V value) {
    return updatePresent(key, UpdateDecisions.ifVersion(version, updateDecisions.write(key, value)))
        .changed();
  }

  /** As {@link #replaceIfVersion}, but does not wait until the answer is acknowledged. */
  public PendingWrite<V> replaceIfVersionAsync(K key, long version, V value) {
    return updatePresentAsync(
        key, UpdateDecisions.ifVersion(version, updateDecisions.write(key, value)));
  }

  /** As {@link #replaceIfVersionAsync(Object, long, Object)}, of an entry that expires. */
  public PendingWrite<V> replaceIfVersionAsync(K key, long version, V value, Duration ttl) {
    return updatePresentAsync(
        key, UpdateDecisions.ifVersion(version, updateDecisions.write(key, value, ttl)));
  }

  /** Removes the key if its entry still has this version, and says whether it had. */
  public boolean removeIfVersion(K key, long version) {
    return updatePresent(key, UpdateDecisions.ifVersion(version, UpdateDecision.remove()))
        .changed();
  }

  /** As {@link #removeIfVersion}, but does not wait until the answer is acknowledged. */
  public PendingWrite<V> removeIfVersionAsync(K key, long version) {
    return updatePresentAsync(key, UpdateDecisions.ifVersion(version, UpdateDecision.remove()));
  }

  @Override
  public @Nullable V replace(K key, V value) {
    return updatePresent(key, updateDecisions.write(key, value)).previous();
  }

  @Override
  public boolean replace(K key, V oldValue, V newValue) {
    requireNonNull(oldValue);
    return updatePresent(
            key, UpdateDecisions.ifEqual(oldValue, updateDecisions.write(key, newValue)))
        .changed();
  }

  /** As {@link ConcurrentMap#compute}; the function runs once, while this key alone is locked. */
  @Override
  public @Nullable V compute(
      K key, BiFunction<? super K, ? super @Nullable V, ? extends @Nullable V> function) {
    return update(key, updateDecisions.computed(key, function)).value();
  }

  /**
   * As {@link ConcurrentMap#computeIfAbsent}; the function runs once, while this key alone is
   * locked, and others who ask for the key's value through this method wait for it.
   */
  @Override
  public @Nullable V computeIfAbsent(K key, Function<? super K, ? extends @Nullable V> function) {
    requireNonNull(function);
    table.checkNotWithinFunction();
    V present = get(key);
    if (present != null) {
      return present;
    }
    return update(key, updateDecisions.loaded(key, function)).value();
  }

  /** As {@link ConcurrentMap#computeIfPresent}; the function runs once, under its key's lock. */
  @Override
  public @Nullable V computeIfPresent(
      K key, BiFunction<? super K, ? super V, ? extends @Nullable V> function) {
    return updatePresent(key, updateDecisions.computedIfPresent(key, function)).value();
  }

  /** As {@link ConcurrentMap#merge}; the function runs once at most, under its key's lock. */
  @Override
  public @Nullable V merge(
      K key, V value, BiFunction<? super V, ? super V, ? extends @Nullable V> function) {
    return update(key, updateDecisions.merged(key, value, function)).value();
  }

  /**
   * Adds to the number that the key's value stands for, 0 if there is none, and answers the sum.
   * The entry goes on to expire when it does.
   *
   * @throws ArithmeticException if the value is not a number, or the sum is beyond a {@code long};
   *     nothing is changed then
   */
  public long increment(K key, long by, NumberCodec<V> numberCodec) {
    IncrementFunction<K, V> maker = new IncrementFunction<>(key, by, numberCodec, updateDecisions);
    return maker.resultOf(update(key, maker).version()).value();
  }

  /**
   * As {@link #increment}, but does not wait: the sum is told when it is durable, and the reason
   * why there is none, too. Actions that depend on it may run on the log's thread and must not
   * block.
   */
  public CompletableFuture<IncrementResult> incrementAsync(
      K key, long by, NumberCodec<V> numberCodec) {
    IncrementFunction<K, V> maker = new IncrementFunction<>(key, by, numberCodec, updateDecisions);
    PendingWrite<V> write = writeAsync(key, maker);
    return write.durable().thenApply(durable -> maker.resultOf(write.version()));
  }

  /**
   * Does all operations of a batch, or none, without waiting until they are acknowledged: for that
   * see {@link BatchResult#await}. Waits for functions that are computing one of its keys.
   *
   * @throws IllegalStateException if called by a function that is computing a value of this map
   * @throws IllegalArgumentException if the batch puts more entries than the map may hold, or
   *     heavier ones, or more than its log takes as one; nothing is changed then
   * @throws UnsupportedOperationException if several keys are changed, and the log cannot take
   *     several changes as one
   * @throws io.pensieve.log.LogException if the log refuses the changes, and nothing is changed
   *     then; or if it has taken them, and fails to take the evictions that they make necessary
   */
  public BatchResult<V> writeAsync(AtomicBatch<K, V> batch) {
    BatchEvaluation<K, V> run = new BatchEvaluation<>(batch, updateDecisions, capacity, counters);
    return run.outcome(table.updateAll(run.keys(), run), journal);
  }

  /** As {@link #put(Object, Object)} for each of them, but waits for the log once. */
  @Override
  public void putAll(Map<? extends K, ? extends V> entries) {
    try (BulkWriter<K, V> changes = changeMany()) {
      entries.forEach((key, value) -> changes.update(key, updateDecisions.write(key, value)));
    }
  }

  /**
   * As {@link ConcurrentMap#replaceAll}, but waits for the log once. The function runs while
   * nothing is locked, and again for a value that was written meanwhile.
   */
  @Override
  public void replaceAll(BiFunction<? super K, ? super V, ? extends V> function) {
    requireNonNull(function);
    try (BulkWriter<K, V> changes = changeMany()) {
      for (EntryCursor<K, V> entry = cursor(); entry.advance(); ) {
        K key = entry.key();
        V replacement = function.apply(key, entry.value());
        while (!changes.replaceIfVersion(
                key, entry.version(), updateDecisions.write(key, replacement))
            && entry.reread()) {
          replacement = function.apply(key, entry.value());
        }
      }
    }
  }

  @Override
  long write(K key, V value) {
    return update(key, updateDecisions.write(key, value)).version();
  }

  private UpdateResult<V> update(K key, UpdateFunction<V> function) {
    return journal.awaitDurable(key, table.update(key, function));
  }

  private UpdateResult<V> updatePresent(K key, UpdateFunction<V> function) {
    return journal.awaitDurable(key, table.updatePresent(key, function));
  }

  private PendingWrite<V> writeAsync(K key, UpdateFunction<V> function) {
    return journal.pendingWrite(key, table.update(key, function));
  }

  private PendingWrite<V> updatePresentAsync(K key, UpdateFunction<V> function) {
    return journal.pendingWrite(key, table.updatePresent(key, function));
  }

  /** Removes all entries whose time is over, as the map does by itself. */
  void expireDue() {
    table.expireDue();
  }

  /**
   * Tells the changes that are acknowledged after this call, evictions and expiries among them as
   * removals. A change is told when this map shows it: whoever was told of one finds it in the map,
   * or something later. So entries that are read after this call, together with the changes that
   * the stream tells, miss nothing.
   *
   * <p>Waits for functions that are computing values. Takes a look at every entry, unless another
   * stream has come so far. A stream waits for a function only if that is computing a key of which
   * it tells.
   *
   * @throws UnsupportedOperationException if this map's log cannot do that; {@link
   *     io.pensieve.log.file.FileLog} can
   * @throws IllegalStateException if the map is closed, or if called by a function that is
   *     computing a value of this map
   */
  public ChangeStream<K, V> changes() {
    table.checkNotWithinFunction();
    return journal.changes(table);
  }

  /**
   * As {@link #changes()}, but from the first change on that is later than this one; it may have
   * been made before this call, or before a restart.
   *
   * @param since where another stream has come, or the version of an entry
   * @throws io.pensieve.log.LogException.HistoryTruncated if the changes since then are not all
   *     there, or there was no such change: then read the entries, and the changes from now on
   * @throws IllegalArgumentException if {@code since} is negative
   */
  public ChangeStream<K, V> changes(long since) {
    table.checkNotWithinFunction();
    return journal.changes(table, since);
  }

  /**
   * Copies the log to a folder where it can be opened as it is, while the map is in use. Returns
   * when the copy survives a power cut; it has everything that was acknowledged before the call,
   * and a prefix of what is written meanwhile. The order of its entries is that of the beginning of
   * the backup, then of the writes. If it fails, what was copied is deleted; if the process dies
   * meanwhile, what is left is refused when it is opened.
   *
   * @param folder must be empty, or not there yet
   * @throws UnsupportedOperationException if this map's log cannot do that; {@link
   *     io.pensieve.log.file.FileLog} can
   * @throws IllegalArgumentException if the folder is not empty
   * @throws java.io.UncheckedIOException if the copy could not be written; the map goes on
   * @throws IllegalStateException if the map is closed, or was closed meanwhile; or if called from
   *     a function that computes a value of this map
   */
  public void backup(Path folder) {
    table.checkNotWithinFunction();
    journal.backup(requireNonNull(folder));
  }

  /**
   * Waits for the writes that are on their way to the disk, saves the order of the entries, and
   * closes the log. A second call waits until the first one is done, and does nothing. Afterwards
   * writes are refused with an {@link IllegalStateException}, and what is in memory can still be
   * read.
   *
   * @throws IllegalStateException if called from a function that computes a value of this map
   * @throws io.pensieve.log.LogException if the log fails while being closed; what was acknowledged
   *     before stays acknowledged
   */
  @Override
  public void close() {
    table.checkNotWithinFunction();
    reaper.stop();
    journal.close(this::nodes);
  }
}
