package io.pensieve;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Operations that are done as one, or not at all: {@link Pensieve#writeAsync} does them, in the
 * order in which they are given, and each sees what those before it have done.
 *
 * <p>Nobody else changes one of the batch's keys meanwhile, and after a crash either all of its
 * changes are there, or none. Batches are done one at a time, so each sees the others whole. What
 * is not a batch may, for a moment, see some of the keys as the batch leaves them, and others as
 * they were; each key by itself, its value, version and expiry, changes at once.
 *
 * <p>Each key that is read or written is used, in the order of the operations; a key that is only
 * required to be so or so is not. If there are too many entries then, those used longest ago are
 * evicted, after the batch.
 *
 * <p>May be submitted more than once. Belongs to one thread.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public final class AtomicBatch<K, V> {
  private final List<Operation<K, V>> operations = new ArrayList<>();

  /** A batch without operations. */
  public AtomicBatch() {}

  /** One of the operations. */
  sealed interface Operation<K, V> {
    K key();
  }

  record Get<K, V>(K key) implements Operation<K, V> {}

  /** The life is 0 if it is that of the map. */
  record Put<K, V>(K key, V value, long ttlMillis) implements Operation<K, V> {}

  record Remove<K, V>(K key) implements Operation<K, V> {}

  record RequireVersion<K, V>(K key, long version) implements Operation<K, V> {}

  record RequireAbsent<K, V>(K key) implements Operation<K, V> {}

  record Add<K, V>(K key, long by, NumberCodec<V> numberCodec) implements Operation<K, V> {}

  /** Reads the key's entry; a use, as {@link Pensieve#get}. */
  public AtomicBatch<K, V> get(K key) {
    return add(new Get<>(requireNonNull(key)));
  }

  /** Writes the value, which lives as long as those of {@link Pensieve#put(Object, Object)}. */
  public AtomicBatch<K, V> put(K key, V value) {
    return add(new Put<>(requireNonNull(key), requireNonNull(value), 0));
  }

  /**
   * Writes the value.
   *
   * @param ttl as {@link Pensieve#put(Object, Object, Duration)} takes it
   * @throws IllegalArgumentException if {@code life} is not positive
   */
  public AtomicBatch<K, V> put(K key, V value, Duration ttl) {
    return add(new Put<>(requireNonNull(key), requireNonNull(value), UpdateDecisions.millis(ttl)));
  }

  /** Removes the key, if it is there. */
  public AtomicBatch<K, V> remove(K key) {
    return add(new Remove<>(requireNonNull(key)));
  }

  /**
   * The batch is refused if the key's entry does not have this version. After an operation of this
   * batch that writes the key, it never has.
   */
  public AtomicBatch<K, V> requireVersion(K key, long version) {
    return add(new RequireVersion<>(requireNonNull(key), version));
  }

  /** The batch is refused if the key has a value. */
  public AtomicBatch<K, V> requireAbsent(K key) {
    return add(new RequireAbsent<>(requireNonNull(key)));
  }

  /**
   * Adds to the key's number, as {@link Pensieve#increment}. The batch is refused if the key has a
   * value that is no number, or if the sum is beyond a {@code long}.
   */
  public AtomicBatch<K, V> increment(K key, long by, NumberCodec<V> numberCodec) {
    return add(new Add<>(requireNonNull(key), by, requireNonNull(numberCodec)));
  }

  private AtomicBatch<K, V> add(Operation<K, V> operation) {
    operations.add(operation);
    return this;
  }

  /** How many operations have been given. */
  public int size() {
    return operations.size();
  }

  List<Operation<K, V>> operations() {
    return List.copyOf(operations);
  }
}
