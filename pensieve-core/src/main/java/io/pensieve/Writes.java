package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.lru.Bounds;
import io.pensieve.lru.Decision;
import io.pensieve.lru.Maker;
import io.pensieve.lru.Node;
import java.time.Duration;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes the decisions to write: under which condition, how long a value lives, what it weighs,
 * whether it is too heavy.
 */
final class Writes<K, V> {
  private final Bounds<K, V> bounds;
  private final long lifeMillis;
  private final Counters counters;

  /**
   * The writes of one map.
   *
   * @param lifeMillis how long a value lives if its writer does not say; {@link Node#NEVER} if it
   *     does not expire
   */
  Writes(Bounds<K, V> bounds, long lifeMillis, Counters counters) {
    this.bounds = bounds;
    this.lifeMillis = lifeMillis;
    this.counters = counters;
  }

  Decision<V> write(K key, V value) {
    return write(key, value, lifeMillis);
  }

  Decision<V> write(K key, V value, Duration life) {
    return write(key, value, millis(life));
  }

  /** As {@link #write}, of an entry that goes on to expire when it does. */
  Decision<V> rewrite(K key, V value) {
    return write(key, value, Decision.SAME_EXPIRY);
  }

  Decision<V> write(AtomicBatch.Put<K, V> put) {
    return write(put.key(), put.value(), put.lifeMillis() == 0 ? lifeMillis : put.lifeMillis());
  }

  private Decision<V> write(K key, V value, long life) {
    requireNonNull(key);
    requireNonNull(value);
    int weight = bounds.weigher().applyAsInt(key, value);
    if (weight > bounds.maximumWeight()) {
      throw new IllegalArgumentException(
          "the entry weighs "
              + weight
              + ", more than the map's maximum of "
              + bounds.maximumWeight());
    }
    return Decision.write(value, weight, life);
  }

  /** This write, if the key is absent; otherwise a use. */
  static <V> Maker<V> ifAbsent(Decision<V> write) {
    return (current, version) -> current == null ? write : Decision.use();
  }

  /** This decision, if the key's value is equal to the expected one. */
  static <V> Maker<V> ifEqual(@Nullable Object expected, Decision<V> decision) {
    return (current, version) ->
        current != null && current.equals(expected) ? decision : Decision.keep();
  }

  /** This decision, if the key's entry has the expected version. */
  static <V> Maker<V> ifVersion(long expected, Decision<V> decision) {
    return (current, version) -> version == expected ? decision : Decision.keep();
  }

  /** Writes what the function makes of the key's value. */
  Maker<V> computed(
      K key, BiFunction<? super K, ? super @Nullable V, ? extends @Nullable V> function) {
    requireNonNull(function);
    return (current, version) -> writeOrRemove(key, function.apply(key, current));
  }

  /** As {@link #computed}, if there is a value. */
  Maker<V> computedIfPresent(
      K key, BiFunction<? super K, ? super V, ? extends @Nullable V> function) {
    requireNonNull(function);
    return (current, version) ->
        current == null ? Decision.keep() : writeOrRemove(key, function.apply(key, current));
  }

  /** Writes what the function makes of the key, if there is no value; otherwise a use. */
  Maker<V> loaded(K key, Function<? super K, ? extends @Nullable V> function) {
    return (current, version) -> current == null ? load(key, function) : Decision.use();
  }

  private Decision<V> load(K key, Function<? super K, ? extends @Nullable V> function) {
    V loaded = function.apply(key);
    if (loaded != null) {
      counters.load();
    }
    return writeOrRemove(key, loaded);
  }

  /** Writes the value, or if there is one already, what the function makes of both. */
  Maker<V> merged(
      K key, V value, BiFunction<? super V, ? super V, ? extends @Nullable V> function) {
    requireNonNull(value);
    requireNonNull(function);
    return (current, version) ->
        writeOrRemove(key, current == null ? value : function.apply(current, value));
  }

  // What a function that may answer null asked for: null means that the key goes.
  private Decision<V> writeOrRemove(K key, @Nullable V value) {
    return value == null ? Decision.remove() : write(key, value);
  }

  /**
   * A life in milliseconds, rounded up; {@link Node#NEVER} if it is too long to be counted.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  static long millis(Duration life) {
    if (life.isZero() || life.isNegative()) {
      throw new IllegalArgumentException("an entry must live for a positive time: " + life);
    }
    try {
      return life.plusNanos(999_999).toMillis();
    } catch (ArithmeticException beyondCounting) {
      return Node.NEVER;
    }
  }
}
