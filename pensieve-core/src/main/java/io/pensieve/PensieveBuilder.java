package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.log.Log;
import io.pensieve.lru.Capacity;
import io.pensieve.lru.Node;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.function.ToIntBiFunction;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a map, each checked when it is given. Not thread-safe.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public final class PensieveBuilder<K, V> {
  private static final long MAXIMUM_ENTRIES = 1000;

  /** The listener of a map that tells nobody. */
  static final RemovalListener<Object, Object> NOBODY = (key, value, cause) -> {};

  private long maximumEntries; // 0 if not given
  private long maximumWeight = Capacity.UNWEIGHTED;
  private ToIntBiFunction<K, V> weigher = (key, value) -> 1;
  long ttlMillis = Node.NEVER;
  InstantSource clock = InstantSource.system();
  RemovalListener<? super K, ? super V> removalListener = NOBODY;
  boolean recordStatistics;
  @Nullable Comparator<? super K> keyOrder;
  Log<K, V> log = Log.none();
  RecoveryListener progress = (bytesRead, bytesTotal) -> {};

  PensieveBuilder() {}

  /**
   * The bound: how many entries the map holds at most. Default 1000, or any number if there is a
   * {@link #maximumWeight}. An entry costs about 75 bytes beyond its key and value. A log that
   * holds more entries than this loses the coldest of them when it is opened.
   *
   * @throws IllegalArgumentException if below 1
   */
  public PensieveBuilder<K, V> maximumEntries(long maximumEntries) {
    if (maximumEntries < 1) {
      throw new IllegalArgumentException("maximumEntries must be at least 1: " + maximumEntries);
    }
    this.maximumEntries = maximumEntries;
    return this;
  }

  /**
   * A bound beside that of the entries: what they may weigh together. Whoever makes the map heavier
   * than this evicts the entries used longest ago until it is not; an entry that is heavier all by
   * itself is refused with an {@link IllegalArgumentException}, and changes nothing. A log whose
   * entries weigh more loses the coldest of them when it is opened. Default: entries are not
   * weighed.
   *
   * <p>Costs a write a lock more, for a moment, and with several threads, uses are counted exactly:
   * reads are then slower by an atomic operation.
   *
   * @param weigher says what an entry weighs; a negative weight is an {@link IllegalStateException}
   * @throws IllegalArgumentException if below 1
   */
  public PensieveBuilder<K, V> maximumWeight(
      long maximumWeight, Weigher<? super K, ? super V> weigher) {
    requireNonNull(weigher);
    if (maximumWeight < 1) {
      throw new IllegalArgumentException("maximumWeight must be at least 1: " + maximumWeight);
    }
    this.maximumWeight = Math.min(maximumWeight, Capacity.UNWEIGHTED - 1);
    this.weigher = (key, value) -> weigh(weigher, key, value);
    return this;
  }

  private static <K, V> int weigh(Weigher<? super K, ? super V> weigher, K key, V value) {
    int weight = weigher.weigh(key, value);
    if (weight < 0) {
      throw new IllegalStateException("the weigher gave an entry a negative weight: " + weight);
    }
    return weight;
  }

  /**
   * How long an entry lives after a write, by whichever method, if the writer does not say. In
   * milliseconds, rounded up. Default: for ever. Entries that are in the log already keep their
   * times.
   *
   * <p>An entry that expires costs about 50 bytes more. From its time on nobody sees it, and within
   * a second it is removed. The time goes on while the map is closed. It is the time of day: if a
   * {@linkplain #clock clock} is set back, entries live longer by as much, and one that has expired
   * within the last second may be seen again; if it is set forward, they live shorter.
   *
   * @throws IllegalArgumentException if not positive
   */
  public PensieveBuilder<K, V> expireAfterWrite(Duration ttl) {
    this.ttlMillis = UpdateDecisions.millis(ttl);
    return this;
  }

  /** Who tells the time of day, to the millisecond, when entries expire. Default: the system. */
  public PensieveBuilder<K, V> clock(InstantSource clock) {
    this.clock = requireNonNull(clock);
    return this;
  }

  /** Who is told of every value that leaves the map. Default: nobody. */
  public PensieveBuilder<K, V> removalListener(
      RemovalListener<? super K, ? super V> removalListener) {
    this.removalListener = requireNonNull(removalListener);
    return this;
  }

  /**
   * Keeps the keys in this order as well, for {@link Pensieve#orderedKeys}: listings of strings by
   * {@link KeyQuery} need {@link Comparator#naturalOrder()}. Default: not.
   *
   * <p>Costs 36 bytes an entry. A put of a new key, and whatever removes an entry, take O(log n)
   * then: some microseconds more with a million entries. Reads and overwrites cost what they did.
   * Opening a map sorts the keys, which takes about a second for a million strings.
   *
   * @param order consistent with the keys' {@code equals}
   */
  public PensieveBuilder<K, V> orderKeys(Comparator<? super K> order) {
    this.keyOrder = requireNonNull(order);
    return this;
  }

  /** Counts for {@link Pensieve#statistics}; a read then costs some nanoseconds more. */
  public PensieveBuilder<K, V> recordStatistics() {
    this.recordStatistics = true;
    return this;
  }

  /**
   * Where changes go. Default {@link Log#none()}: the map is then an LRU map in memory. A log
   * belongs to one map, which closes it: a second map that is opened on it is refused, and changes
   * nothing for the first one. A {@link io.pensieve.log.file.FileLog} that no map was opened on
   * holds nothing, and need not be closed.
   */
  public PensieveBuilder<K, V> log(Log<K, V> log) {
    this.log = requireNonNull(log);
    return this;
  }

  /** Who is told how far {@link #open} has come. Default: nobody. */
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
   * Replays the log and returns the map, ready for use, or throws and leaves nothing open. Takes as
   * long as reading the log does.
   *
   * @throws io.pensieve.log.LogException if the log cannot be read, or is in use
   * @throws IllegalStateException if another map was opened on the log, which goes on
   */
  public Pensieve<K, V> open() {
    return new Pensieve<>(this);
  }
}
