package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.log.ChangeStream;
import io.pensieve.log.Codec;
import io.pensieve.log.Log;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplicatedLog;
import io.pensieve.log.file.FileLog;
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
 * A bounded LRU map that is durable: it writes every change to a {@link io.pensieve.log.Log}, so
 * its entries survive a restart. With a {@link io.pensieve.log.file.FileLog} they also survive a
 * crash or a power cut.
 *
 * <pre>{@code
 * try (var map = Pensieve.<String, String>builder()
 *     .maximumEntries(10_000)
 *     .log(FileLog.at(directory, Codec.utf8(), Codec.utf8()).durability(Durability.POWER_CUT))
 *     .open()) {
 *   map.put("a", "b");
 * }
 * }</pre>
 *
 * <p><b>Order.</b> When a put exceeds the bound, the map evicts the least recently used entry.
 * Every method that returns or writes a key's value is a use: {@link #get}, {@link #getOrDefault},
 * {@link #put}, {@link #putIfAbsent}, {@link #compute}, {@link #merge} and so on, also {@link
 * java.util.Map.Entry#setValue}. {@link #containsKey}, {@link #containsValue}, {@link #size},
 * iteration, and conditional writes whose condition does not hold are not uses. With one thread the
 * order of evictions is exactly that of an access-ordered {@link java.util.LinkedHashMap}. With
 * several threads the order is approximate. When the map evicts an entry, some entries that were
 * last used before it may still be in the map: at most 1 % of the bound, or 8 if that is more. A
 * thread that takes over from a terminated thread does not count as a second thread. Uses of one
 * entry that overlap in time count as one.
 *
 * <p><b>Bound.</b> The map holds at most {@link #maximumEntries()} entries, plus those that threads
 * are adding at this moment. The same applies to the total weight if there is a {@linkplain
 * PensieveBuilder#maximumWeight weight bound}. With a weight bound, the 1 % above is one of the
 * entries that the map held when the evicted one was last used. Both bounds {@linkplain
 * #maximumEntries(long) can change} while the map is in use.
 *
 * <p><b>Expiry.</b> An entry can have an expiry time. From that time on it is absent for every
 * method, view and iterator, and for conditions. The map removes it within a second, or earlier if
 * a writer finds it. See {@link PensieveBuilder#expireAfterWrite}.
 *
 * <p><b>Log.</b> Every change is in the log before it is visible, whichever method, view or
 * iterator makes it. The map logs an eviction or an expiry as a removal. A method returns when the
 * log has acknowledged its change at the log's durability level; the {@code Async} methods do not
 * wait. Unacknowledged changes are not visible: a read that finds such a value, or such an absence,
 * waits for the acknowledgement.
 *
 * <p><b>Failure.</b> If the log refuses a write, the method throws a {@link
 * io.pensieve.log.LogException} and changes nothing. If the wait for the acknowledgement fails, the
 * write may or may not survive. The same holds if the log refuses an eviction that the write made
 * necessary. After a failure of the log the map refuses all writes, and still serves reads of what
 * is durable.
 *
 * <p><b>Threads.</b> The map is thread-safe. Reads take no lock. Writes of one key are serialized;
 * writes of different keys run in parallel. A function given to {@link #compute} and similar
 * methods runs once, and only its key is locked meanwhile. It may be slow and may read this map.
 * Within it, every method that writes to this map, whatever the key, throws an {@link
 * IllegalStateException}; so do batches, streams of changes, and loading by {@link
 * #computeIfAbsent}. Otherwise two functions that write to each other's keys would deadlock. If an
 * {@code Error} such as a {@link StackOverflowError} ends a method, its key is unlocked afterwards.
 * The change was then made completely or not at all. Iterators and views are weakly consistent, as
 * those of {@link java.util.concurrent.ConcurrentHashMap}. Neither keys nor values may be null.
 *
 * @param <K> the type of keys, with an {@code equals} and {@code hashCode} by content
 * @param <V> the type of values
 */
public final class Pensieve<K, V> extends LoadingMap<K, V> implements AutoCloseable {
  private final ExpiryReaper reaper;
  private final RecoveryReport recovery;
  private final boolean putsAtOnce; // whether a put neither waits nor says more than the value

  Pensieve(PensieveBuilder<K, V> settings) {
    this(settings, new ExpiryReaper());
  }

  private Pensieve(PensieveBuilder<K, V> settings, ExpiryReaper reaper) {
    super(settings, reaper::ensureStarted); // a standby, if the log is replicated
    this.reaper = reaper;
    this.putsAtOnce =
        standby == null && !refreshes && !journal.mayWait() && updateDecisions.arePlain();
    TableRestorer<K, V> restorer = table.restore();
    recovery = settings.log.replay(new TableReplayHandler<>(restorer, settings.progress));
    try { // from here on this map owns the log; before, another map may
      journal.setReplayBaseline(restorer.finish());
      settings.log.attach(new LiveTableEntries<>(table, journal));
      reaper.attach(table);
      if (standby != null && settings.log instanceof ReplicatedLog<K, V> replicated) {
        replicated.follow(standby);
      }
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

  /**
   * Opens a map on a {@link FileLog} in a folder, with the defaults of both: at most 1000 entries,
   * of which a crash loses none and a power cut the last 100 ms of writes. Creates the folder if
   * needed.
   *
   * <pre>{@code
   * try (var map = Pensieve.open(Path.of("data"), Codec.utf8(), Codec.int64())) {
   *   map.merge("starts", 1L, Long::sum);
   * }
   * }</pre>
   *
   * @throws io.pensieve.log.LogException as {@link PensieveBuilder#open}
   */
  public static <K, V> Pensieve<K, V> open(Path folder, Codec<K> keyCodec, Codec<V> valueCodec) {
    return Pensieve.<K, V>builder().log(FileLog.at(folder, keyCodec, valueCodec)).open();
  }

  /** A builder with defaults: at most 1000 entries, no log. */
  public static <K, V> PensieveBuilder<K, V> builder() {
    return new PensieveBuilder<>();
  }

  /** What the log found when this map was opened. */
  public RecoveryReport recovery() {
    return recovery;
  }

  // ---- Writing

  @Override
  public @Nullable V put(K key, V value) {
    if (putsAtOnce) {
      V previous = table.put(key, requireNonNull(value));
      journal.throttle();
      return previous;
    }
    return update(key, updateDecisions.write(key, value)).previous();
  }

  /**
   * As {@link #put(Object, Object)}, for an entry that expires.
   *
   * @param ttl how long the entry lives from the moment of the write, in milliseconds, rounded up;
   *     it never expires if the time is beyond the year 292 million
   * @throws IllegalArgumentException if {@code ttl} is not positive
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
    return updateAsync(key, updateDecisions.write(key, value));
  }

  /**
   * Puts or removes a key, under the write's condition. Does not wait until the write is
   * acknowledged.
   *
   * @throws io.pensieve.log.LogException if the log refuses the change, which then has no effect
   */
  public PendingWrite<V> writeAsync(Write<K, V> write) {
    UpdateFunction<V> function = write.function(updateDecisions);
    return write.mayAdd()
        ? updateAsync(write.key(), function)
        : updatePresentAsync(write.key(), function);
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

  /**
   * Writes the value if the key's entry still has this version. Returns whether it had. Counts as a
   * use only then.
   *
   * @param version from {@link #getVersioned} or a {@link PendingWrite}
   */
  public boolean replaceIfVersion(K key, long version, V value) {
    return updatePresent(key, UpdateDecisions.ifVersion(version, updateDecisions.write(key, value)))
        .changed();
  }

  /** Removes the key if its entry still has this version. Returns whether it had. */
  public boolean removeIfVersion(K key, long version) {
    return updatePresent(key, UpdateDecisions.ifVersion(version, UpdateDecision.remove()))
        .changed();
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

  /**
   * Changes how long an existing entry lives, from now on, and uses the entry. It keeps its value
   * and gets a new version. In the log this is a put of the same value, and as long.
   *
   * @param ttl as for {@link #put(Object, Object, Duration)}
   * @return whether there is an entry
   */
  public boolean touch(K key, Duration ttl) {
    UpdateFunction<V> touch = Write.<K, V>touch(key, TimeToLive.of(ttl)).function(updateDecisions);
    return updatePresent(key, touch).changed();
  }

  /**
   * As {@link ConcurrentMap#compute}. The function runs once; only this key is locked meanwhile.
   */
  @Override
  public @Nullable V compute(
      K key, BiFunction<? super K, ? super @Nullable V, ? extends @Nullable V> function) {
    return update(key, updateDecisions.computed(key, function)).value();
  }

  /**
   * As {@link ConcurrentMap#computeIfAbsent}. The function runs once; only this key is locked
   * meanwhile. Other callers of this method for the same key wait for it.
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

  /** As {@link ConcurrentMap#computeIfPresent}. The function runs once, under its key's lock. */
  @Override
  public @Nullable V computeIfPresent(
      K key, BiFunction<? super K, ? super V, ? extends @Nullable V> function) {
    return updatePresent(key, updateDecisions.computedIfPresent(key, function)).value();
  }

  /** As {@link ConcurrentMap#merge}. The function runs at most once, under its key's lock. */
  @Override
  public @Nullable V merge(
      K key, V value, BiFunction<? super V, ? super V, ? extends @Nullable V> function) {
    return update(key, updateDecisions.merged(key, value, function)).value();
  }

  /**
   * Adds to the number that the key's value encodes, or to 0 if the key is absent, and returns the
   * sum. The entry keeps its expiry time.
   *
   * @throws ArithmeticException if the value is not a number, or the sum overflows a {@code long};
   *     nothing is changed then
   */
  public long increment(K key, long by, NumberCodec<V> numberCodec) {
    IncrementFunction<K, V> maker =
        new IncrementFunction<>(key, by, numberCodec, TimeToLive.unchanged(), updateDecisions);
    return maker.resultOf(update(key, maker).version()).value();
  }

  /**
   * As {@link #increment}, but does not wait. The future completes with the sum when it is durable,
   * or with the reason why there is none. Dependent actions may run on the log's thread and must
   * not block.
   */
  public CompletableFuture<IncrementResult> incrementAsync(
      K key, long by, NumberCodec<V> numberCodec) {
    return incrementAsync(key, by, numberCodec, TimeToLive.unchanged());
  }

  /** As {@link #incrementAsync(Object, long, NumberCodec)}, with this time to live. */
  public CompletableFuture<IncrementResult> incrementAsync(
      K key, long by, NumberCodec<V> numberCodec, TimeToLive ttl) {
    IncrementFunction<K, V> maker =
        new IncrementFunction<>(key, by, numberCodec, ttl, updateDecisions);
    PendingWrite<V> write = updateAsync(key, maker);
    return write.durable().thenApply(durable -> maker.resultOf(write.version()));
  }

  /**
   * Applies all operations of a batch, or none. Does not wait for the acknowledgement: use {@link
   * BatchResult#await}. Waits for functions that are computing one of the batch's keys.
   *
   * @throws IllegalStateException if called by a function that is computing a value of this map
   * @throws IllegalArgumentException if the batch puts too many or too heavy entries for the map,
   *     or too much for its log; nothing is changed then
   * @throws UnsupportedOperationException if the batch changes several keys, and the log cannot
   *     append several changes atomically
   * @throws io.pensieve.log.LogException if the log refuses the changes, and nothing is changed
   *     then; or if the log accepts them, but refuses the evictions that they make necessary
   */
  public BatchResult<V> writeAsync(AtomicBatch<K, V> batch) {
    BatchEvaluation<K, V> run = new BatchEvaluation<>(batch, updateDecisions, capacity, counters);
    long begun = journal.beginWrite();
    return run.outcome(table.updateAll(run.keys(), run), journal, begun);
  }

  /** As {@link #put(Object, Object)} for each entry, but waits for the log once. */
  @Override
  public void putAll(Map<? extends K, ? extends V> entries) {
    try (BulkWriter<K, V> changes = changeMany()) {
      entries.forEach((key, value) -> changes.update(key, updateDecisions.write(key, value)));
    }
  }

  /**
   * As {@link ConcurrentMap#replaceAll}, but waits for the log once. The function runs without any
   * lock. It runs again for a key if another thread wrote that key meanwhile.
   */
  @Override
  public void replaceAll(BiFunction<? super K, ? super V, ? extends V> function) {
    requireNonNull(function);
    try (BulkWriter<K, V> changes = changeMany()) {
      for (EntryCursor<K, V> entry = cursor(); entry.advance(); ) {
        K key = entry.key();
        V replacement = function.apply(key, entry.value());
        while (!changes.replaceIfVersion(
                key, entry.version(), updateDecisions.change(key, replacement))
            && entry.reread()) {
          replacement = function.apply(key, entry.value());
        }
      }
    }
  }

  @Override
  long write(K key, V value) {
    return update(key, updateDecisions.change(key, value)).version();
  }

  private UpdateResult<V> update(K key, UpdateFunction<V> function) {
    long begun = journal.beginWrite();
    return journal.awaitDurable(key, table.update(key, function), begun);
  }

  private UpdateResult<V> updatePresent(K key, UpdateFunction<V> function) {
    long begun = journal.beginWrite();
    return journal.awaitDurable(key, table.updatePresent(key, function), begun);
  }

  private PendingWrite<V> updateAsync(K key, UpdateFunction<V> function) {
    long begun = journal.beginWrite();
    return journal.pendingWrite(key, table.update(key, function), begun);
  }

  private PendingWrite<V> updatePresentAsync(K key, UpdateFunction<V> function) {
    long begun = journal.beginWrite();
    return journal.pendingWrite(key, table.updatePresent(key, function), begun);
  }

  /**
   * Opens a stream of the changes that are acknowledged after this call. It delivers evictions and
   * expiries as removals. A change is delivered once it is visible: a reader of the map then finds
   * that change, or a later one. So call this first, then read the entries: together they are
   * complete.
   *
   * <p>Waits for functions that are computing values. Visits every entry, unless another stream has
   * already reached this point. A stream waits for a function only if that function computes a key
   * whose change the stream is about to deliver.
   *
   * @throws UnsupportedOperationException if this map's log does not support it; {@link
   *     io.pensieve.log.file.FileLog} does
   * @throws IllegalStateException if the map is closed, or if called by a function that is
   *     computing a value of this map
   */
  public ChangeStream<K, V> changes() {
    table.checkNotWithinFunction();
    return journal.changes(table);
  }

  /**
   * As {@link #changes()}, but starts at the first change after {@code since}. That change may be
   * older than this call, or than a restart.
   *
   * @param since the position of an earlier stream, or the version of an entry
   * @throws io.pensieve.log.LogException.HistoryTruncated if the log no longer has all changes
   *     since then, or never had such a change: then read the entries, and the changes from now on
   * @throws IllegalArgumentException if {@code since} is negative
   */
  public ChangeStream<K, V> changes(long since) {
    table.checkNotWithinFunction();
    return journal.changes(table, since);
  }

  /**
   * Copies the log to a folder while the map is in use. The copy can be opened as it is. Returns
   * when the copy survives a power cut. It contains everything that was acknowledged before the
   * call, and a prefix of what is written meanwhile. Its entries have the order that the map had
   * when the backup began, then that of the later writes. If the backup fails, it deletes what it
   * copied. If the process dies meanwhile, opening the incomplete copy fails.
   *
   * @param folder must be empty or not exist
   * @throws UnsupportedOperationException if this map's log does not support it; {@link
   *     io.pensieve.log.file.FileLog} does
   * @throws IllegalArgumentException if the folder is not empty
   * @throws java.io.UncheckedIOException if the copy cannot be written; the map stays usable
   * @throws IllegalStateException if the map is closed, before or during the backup; or if called
   *     from a function that computes a value of this map
   */
  public void backup(Path folder) {
    table.checkNotWithinFunction();
    journal.backup(requireNonNull(folder));
  }

  /**
   * Compacts the log now. Returns when the entries have replaced the history before this call. Logs
   * compact themselves; this is for a folder that is about to be copied or measured.
   *
   * @throws UnsupportedOperationException if this map's log does not support it; {@link FileLog}
   *     does
   * @throws java.io.UncheckedIOException if the log could not write the entries, for example
   *     because the disk is full; the log continues unchanged
   * @throws IllegalStateException if the map is closed; or if called from a function that computes
   *     a value of this map
   */
  public void compact() {
    table.checkNotWithinFunction();
    journal.compact();
  }

  /**
   * Waits for pending writes, saves the order of the entries, and closes the log. A second call
   * waits for the first one to finish and does nothing. Afterwards writes throw an {@link
   * IllegalStateException}; what is in memory can still be read.
   *
   * @throws IllegalStateException if called from a function that computes a value of this map
   * @throws io.pensieve.log.LogException if the log fails while being closed; what was acknowledged
   *     before stays acknowledged
   */
  @Override
  public void close() {
    table.checkNotWithinFunction();
    reaper.stop();
    journal.close(this::nodes, table::stamp);
  }
}
