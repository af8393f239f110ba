package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.log.Log;
import io.pensieve.lru.Capacity;
import io.pensieve.lru.ExpiryRule;
import io.pensieve.lru.Node;
import io.pensieve.lru.UpdateDecision;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.function.BiFunction;
import java.util.function.ToLongBiFunction;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a map. Each setter checks its argument at once. Not thread-safe.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public final class PensieveBuilder<K, V> {
  private static final long MAXIMUM_ENTRIES = 1000;

  private long maximumEntries; // 0 if not given
  private long maximumWeight = Capacity.UNWEIGHTED;
  private ToLongBiFunction<K, V> weigher = (key, value) -> 1;
  long ttlMillis = Node.NEVER;
  @Nullable Expiry<? super K, ? super V> expiry; // not null if ttlMillis is BY_RULE
  @Nullable BiFunction<? super K, ? super V, ? extends @Nullable V> reloader; // null: no refresh
  long refreshMillis = Node.NEVER;
  Executor refreshExecutor = ForkJoinPool.commonPool();
  InstantSource clock = InstantSource.system();
  RemovalListener<? super K, ? super V> removalListener = RemovalNotifier.NOBODY;
  boolean recordStatistics;
  @Nullable Comparator<? super K> keyOrder;
  Log<K, V> log = Log.none();
  RecoveryListener progress = (bytesRead, bytesTotal) -> {};

  PensieveBuilder() {}

  /**
   * The maximum number of entries. Default 1000, or no bound if there is a {@link #maximumWeight}.
   * An entry costs about 75 bytes in addition to its key and value. If a log holds more entries
   * than this, opening it removes the least recently used of them. An open map can {@linkplain
   * Pensieve#maximumEntries(long) change it}.
   *
   * @throws IllegalArgumentException if below 1
   */
  public PensieveBuilder<K, V> maximumEntries(long maximumEntries) {
    this.maximumEntries = requireEntries(maximumEntries);
    return this;
  }

  static long requireEntries(long maximum) {
    if (maximum < 1) {
      throw new IllegalArgumentException("maximumEntries must be at least 1: " + maximum);
    }
    return maximum;
  }

  // A larger number would mean that entries are not weighed.
  static long requireWeight(long maximum) {
    if (maximum < 1) {
      throw new IllegalArgumentException("maximumWeight must be at least 1: " + maximum);
    }
    return Math.min(maximum, Capacity.UNWEIGHTED - 1);
  }

  /**
   * The maximum total weight of the entries, in addition to their maximum number. A writer that
   * exceeds it evicts the least recently used entries until the bound holds. A single entry heavier
   * than the bound is refused with an {@link IllegalArgumentException}, and nothing changes. If the
   * entries of a log weigh more, opening it removes the least recently used of them. An open map
   * can {@linkplain Pensieve#maximumWeight(long) change it}. Default: entries are not weighed.
   *
   * <p>Weights are longs, and their sum is exact. A bound of {@link Long#MAX_VALUE} is as one of
   * one less.
   *
   * <p>Each write takes one more short lock. With several threads uses are counted exactly, so each
   * read costs one more atomic operation.
   *
   * @param weigher returns the weight of an entry; a negative weight causes an {@link
   *     IllegalStateException}
   * @throws IllegalArgumentException if below 1
   */
  public PensieveBuilder<K, V> maximumWeight(
      long maximumWeight, Weigher<? super K, ? super V> weigher) {
    requireNonNull(weigher);
    this.maximumWeight = requireWeight(maximumWeight);
    this.weigher = (key, value) -> weigh(weigher, key, value);
    return this;
  }

  private static <K, V> long weigh(Weigher<? super K, ? super V> weigher, K key, V value) {
    long weight = weigher.weigh(key, value);
    if (weight < 0) {
      throw new IllegalStateException("the weigher gave an entry a negative weight: " + weight);
    }
    return weight;
  }

  /**
   * How long an entry lives after a write by any method, unless the writer gives another time. In
   * milliseconds, rounded up. Default: for ever. Entries that are already in the log keep their
   * expiry times. Replaces {@link #expireAfterAccess} and {@link #expireAfter}.
   *
   * <p>A put replaces the entry, and its time to live. {@code compute}, {@code computeIfPresent},
   * {@code merge}, {@code replaceAll} and {@code setValue} change the value of an entry: it expires
   * no earlier than before.
   *
   * <p>An entry that expires costs about 50 more bytes. Once expired it is invisible, and the map
   * removes it within a second. Time passes while the map is closed. Expiry uses the time of day.
   * If the {@linkplain #clock clock} is set back, entries live longer by as much. An entry that
   * expired within the last second may then become visible again. If the clock is set forward,
   * entries live shorter.
   *
   * @throws IllegalArgumentException if not positive
   */
  public PensieveBuilder<K, V> expireAfterWrite(Duration ttl) {
    this.ttlMillis = UpdateDecisions.millis(ttl);
    this.expiry = null;
    return this;
  }

  /**
   * How long an entry lives after a write or a read, by {@code get} and the like, unless the writer
   * gives another time. Replaces {@link #expireAfterWrite} and {@link #expireAfter}.
   *
   * <p>The log has each expiry with its value, so a read that extends a life writes the value
   * again, with a new version. A read does that only if it extends the life by more than an eighth.
   * So an entry lives for seven eighths of the time at least after its last read, and is written up
   * to eight times within that time for its reads. These writes are not waited for: a crash
   * shortens a life by what the log loses, which is nothing if the process dies, and by less than
   * an eighth if the power is cut just after such a write. A crash lengthens no life. Each read
   * costs a look at the clock.
   *
   * @throws IllegalArgumentException if not positive
   */
  public PensieveBuilder<K, V> expireAfterAccess(Duration ttl) {
    UpdateDecisions.millis(ttl);
    return expireAfter(
        new Expiry<Object, Object>() {
          @Override
          public Duration afterCreate(Object key, Object value) {
            return ttl;
          }

          @Override
          public Duration afterUpdate(Object key, Object value, Duration remaining) {
            return atLeast(remaining);
          }

          @Override
          public Duration afterRead(Object key, Object value, Duration remaining) {
            return atLeast(remaining);
          }

          private Duration atLeast(Duration remaining) {
            return remaining.compareTo(ttl) > 0 ? remaining : ttl;
          }
        });
  }

  /**
   * Decides for each entry how long it lives, unless the writer gives another time. Replaces {@link
   * #expireAfterWrite} and {@link #expireAfterAccess}. What reads change is logged as for the
   * latter.
   */
  public PensieveBuilder<K, V> expireAfter(Expiry<? super K, ? super V> expiry) {
    this.expiry = requireNonNull(expiry);
    this.ttlMillis = UpdateDecision.BY_RULE;
    return this;
  }

  /**
   * Refreshes old values. A read of an entry whose value was written so long ago, or earlier,
   * returns that value at once and starts one reload: the {@linkplain #refreshExecutor executor}
   * runs {@code reloader}. All methods that return a value and count as a use are such reads.
   * Nobody waits for a reload, and no key is locked meanwhile. Default: values are not refreshed.
   *
   * <pre>{@code
   * try (var answers = Pensieve.<String, String>builder()
   *     .refreshAfterWrite(Duration.ofMinutes(1), (question, old) -> service.ask(question))
   *     .expireAfterWrite(Duration.ofHours(1))
   *     .log(FileLog.at(folder, Codec.utf8(), Codec.utf8()))
   *     .open()) {
   *   String answer = answers.get("question", question -> service.ask(question));
   * }
   * }</pre>
   *
   * <p>The reloaded value is written and logged as by a put, and is a use. The entry lives as long
   * as after {@link Pensieve#compute}. If the reloader returns null, the entry is removed. If the
   * entry was written, touched or removed since the reload began, or its reads have extended its
   * life, the reload changes nothing.
   *
   * <p>If the reloader throws, or the executor refuses, the old value stays, and the next read
   * tries again. {@link Statistics} counts that with the {@linkplain Statistics#loadFailures()
   * failures}; a {@link System.Logger} gets the first exception, then a line a minute at most. If
   * the log refuses the value, the old one stays, too.
   *
   * <p>A new expiry alone is no write: a value that is only touched grows old. A log does not have
   * the time of a write, so values count as old when the map is opened. The first read of each
   * entry reloads it. The age is that of the {@linkplain #clock clock}. If it is set back, values
   * are refreshed later by as much. A standby does not reload.
   *
   * <p>An entry that was written costs about 56 more bytes, and each read a look at the clock.
   *
   * @param age in milliseconds, rounded up
   * @param reloader receives the key and the old value. Many threads may call it, for each key one
   *     at a time. It may use the map
   * @throws IllegalArgumentException if {@code age} is not positive
   */
  public PensieveBuilder<K, V> refreshAfterWrite(
      Duration age, BiFunction<? super K, ? super V, ? extends @Nullable V> reloader) {
    this.refreshMillis = UpdateDecisions.millis(age);
    this.reloader = requireNonNull(reloader);
    return this;
  }

  /**
   * The executor for the reloads of {@link #refreshAfterWrite}. The map does not shut it down.
   * Default: {@link ForkJoinPool#commonPool()}. An executor that runs them in the reading thread
   * makes that read wait. Use one of your own if reloads wait for long.
   */
  public PensieveBuilder<K, V> refreshExecutor(Executor executor) {
    this.refreshExecutor = requireNonNull(executor);
    return this;
  }

  ExpiryRule<K, V> expiryRule() {
    Expiry<? super K, ? super V> chosen = expiry;
    if (chosen == null) {
      return (key, value, remainingMillis) -> Node.NEVER;
    }
    return (key, value, remainingMillis) ->
        UpdateDecisions.millis(
            remainingMillis == ExpiryRule.CREATED
                ? chosen.afterCreate(key, value)
                : chosen.afterUpdate(
                    key, value, UpdateDecisions.duration(Math.max(1, remainingMillis))));
  }

  /**
   * The source of the time of day, in milliseconds, that decides expiry. Default: the system clock.
   */
  public PensieveBuilder<K, V> clock(InstantSource clock) {
    this.clock = requireNonNull(clock);
    return this;
  }

  /** The listener for every value that leaves the map. Default: none. */
  public PensieveBuilder<K, V> removalListener(
      RemovalListener<? super K, ? super V> removalListener) {
    this.removalListener = requireNonNull(removalListener);
    return this;
  }

  /**
   * Also keeps the keys sorted in this order, for {@link Pensieve#orderedKeys}. Listings of strings
   * by {@link KeyQuery} need {@link Comparator#naturalOrder()}. Default: unsorted.
   *
   * <p>The first listing sorts the keys, while others read and write: it takes about a second for a
   * million strings. Until then this costs nothing. From then on it costs 36 bytes an entry, and a
   * put of a new key and each removal take O(log n): some microseconds more with a million entries.
   * Reads and overwrites cost the same as before.
   *
   * <p>A put throws what the order throws when it compares the key with itself, and from the first
   * listing on with other keys. If it can compare each key with itself, but not with another one,
   * listings throw.
   *
   * @param order consistent with the keys' {@code equals}
   */
  public PensieveBuilder<K, V> orderKeys(Comparator<? super K> order) {
    this.keyOrder = requireNonNull(order);
    return this;
  }

  /**
   * Enables the counters of {@link Pensieve#statistics}. A read then costs some nanoseconds more.
   */
  public PensieveBuilder<K, V> recordStatistics() {
    this.recordStatistics = true;
    return this;
  }

  /**
   * The log that receives the changes. Default {@link Log#none()}: the map is then an LRU map in
   * memory. {@link #open} opens the log, and the map closes it. Opening a second map on the same
   * log fails and does not affect the first one. A {@link io.pensieve.log.file.FileLog} on which no
   * map was opened holds no resources and need not be closed.
   */
  public PensieveBuilder<K, V> log(Log<K, V> log) {
    this.log = requireNonNull(log);
    return this;
  }

  /** The listener for the progress of {@link #open}. Default: none. */
  public PensieveBuilder<K, V> recoveryListener(RecoveryListener progress) {
    this.progress = requireNonNull(progress);
    return this;
  }

  Capacity<K, V> capacity() {
    long entries =
        maximumEntries > 0
            ? maximumEntries
            : maximumWeight == Capacity.UNWEIGHTED ? MAXIMUM_ENTRIES : Long.MAX_VALUE;
    return new Capacity<>(entries, maximumWeight, weigher);
  }

  /**
   * Replays the log and returns the map, ready for use. On failure it throws and leaves nothing
   * open. Takes as long as reading the log.
   *
   * @throws io.pensieve.log.LogException if the log cannot be read, or is in use
   * @throws IllegalStateException if another map was opened on the log; that map stays usable
   */
  public Pensieve<K, V> open() {
    return new Pensieve<>(this);
  }
}
