package io.pensieve;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Operations that {@link Pensieve#writeAsync} applies atomically: all or none. It applies them in
 * the given order, and each sees the effects of those before it.
 *
 * <p>No other thread changes one of the batch's keys meanwhile. After a crash either all of its
 * changes are there, or none. Batches run one at a time, so each sees the others whole. For a
 * moment, other readers may see some keys after the batch and others before it. Each single key
 * changes its value, version and expiry at once.
 *
 * <p>Each key that is read or written counts as used, in the order of the operations. A key that is
 * only required to have a version or to be absent does not. If the map then has too many entries,
 * it evicts the least recently used ones after the batch.
 *
 * <p>A batch may be submitted more than once. Not thread-safe.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public final class AtomicBatch<K, V> {
  private final List<Operation<K, V>> operations = new ArrayList<>();

  /** Creates a batch without operations. */
  public AtomicBatch() {}

  /** One of the operations. */
  sealed interface Operation<K, V> {
    K key();
  }

  record Get<K, V>(K key) implements Operation<K, V> {}

  record Put<K, V>(K key, V value, TimeToLive ttl) implements Operation<K, V> {}

  record Touch<K, V>(K key, TimeToLive ttl) implements Operation<K, V> {}

  record Remove<K, V>(K key) implements Operation<K, V> {}

  record RequireVersion<K, V>(K key, long version) implements Operation<K, V> {}

  record RequireAbsent<K, V>(K key) implements Operation<K, V> {}

  record Add<K, V>(K key, long by, NumberCodec<V> numberCodec, TimeToLive ttl)
      implements Operation<K, V> {}

  /** Reads the key's entry. Counts as a use, as {@link Pensieve#get} does. */
  public AtomicBatch<K, V> get(K key) {
    return add(new Get<>(requireNonNull(key)));
  }

  /** Writes the value, with the time to live of {@link Pensieve#put(Object, Object)}. */
  public AtomicBatch<K, V> put(K key, V value) {
    return put(key, value, TimeToLive.ofMap());
  }

  /**
   * Writes the value.
   *
   * @param ttl as for {@link Pensieve#put(Object, Object, Duration)}
   * @throws IllegalArgumentException if {@code ttl} is not positive
   */
  public AtomicBatch<K, V> put(K key, V value, Duration ttl) {
    return put(key, value, TimeToLive.of(ttl));
  }

  /** Writes the value, with a time to live that may depend on whether there is an entry. */
  public AtomicBatch<K, V> put(K key, V value, TimeToLive ttl) {
    return add(new Put<>(requireNonNull(key), requireNonNull(value), requireNonNull(ttl)));
  }

  /**
   * Changes how long the key's entry lives, as {@link Pensieve#touch}: it keeps its value and gets
   * a new version. Has no effect if the key is absent.
   */
  public AtomicBatch<K, V> touch(K key, TimeToLive ttl) {
    return add(new Touch<>(requireNonNull(key), requireNonNull(ttl)));
  }

  /** Removes the key, if it is present. */
  public AtomicBatch<K, V> remove(K key) {
    return add(new Remove<>(requireNonNull(key)));
  }

  /**
   * Requires that the key's entry has this version; otherwise the batch is refused. If an earlier
   * operation of this batch has written the key, the requirement never holds.
   */
  public AtomicBatch<K, V> requireVersion(K key, long version) {
    return add(new RequireVersion<>(requireNonNull(key), version));
  }

  /** Requires that the key is absent; otherwise the batch is refused. */
  public AtomicBatch<K, V> requireAbsent(K key) {
    return add(new RequireAbsent<>(requireNonNull(key)));
  }

  /**
   * Adds to the key's number, as {@link Pensieve#increment}. The batch is refused if the key's
   * value is not a number, or if the sum overflows a {@code long}.
   */
  public AtomicBatch<K, V> increment(K key, long by, NumberCodec<V> numberCodec) {
    return increment(key, by, numberCodec, TimeToLive.unchanged());
  }

  /** As {@link #increment(Object, long, NumberCodec)}, with this time to live. */
  public AtomicBatch<K, V> increment(K key, long by, NumberCodec<V> numberCodec, TimeToLive ttl) {
    return add(
        new Add<>(requireNonNull(key), by, requireNonNull(numberCodec), requireNonNull(ttl)));
  }

  private AtomicBatch<K, V> add(Operation<K, V> operation) {
    operations.add(operation);
    return this;
  }

  /** The number of operations in this batch. */
  public int size() {
    return operations.size();
  }

  List<Operation<K, V>> operations() {
    return List.copyOf(operations);
  }
}
