package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.lru.Bounds;
import io.pensieve.lru.Decision;
import io.pensieve.lru.Maker;
import io.pensieve.lru.Node;
import java.time.Duration;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Makes the decisions to write: how long a value lives, what it weighs, whether it is too heavy.
 */
final class Writes<K, V> {
  private final Bounds<K, V> bounds;
  private final long lifeMillis;

  /**
   * The writes of one map.
   *
   * @param lifeMillis how long a value lives if its writer does not say; {@link Node#NEVER} if it
   *     does not expire
   */
  Writes(Bounds<K, V> bounds, long lifeMillis) {
    this.bounds = bounds;
    this.lifeMillis = lifeMillis;
  }

  Decision<V> write(K key, V value) {
    return write(key, value, lifeMillis);
  }

  Decision<V> write(K key, V value, Duration life) {
    return write(key, value, millis(life));
  }

  /** A write that is only made if the condition holds for the version, 0 if there is none. */
  Maker<V> writeIf(LongPredicate condition, K key, V value) {
    return when(condition, write(key, value));
  }

  Maker<V> writeIf(LongPredicate condition, K key, V value, Duration life) {
    return when(condition, write(key, value, life));
  }

  static <V> Maker<V> removeIf(LongPredicate condition) {
    return when(condition, Decision.remove());
  }

  /** A decision that is only carried out if the condition holds for the version. */
  static <V> Maker<V> when(LongPredicate condition, Decision<V> decision) {
    return (current, version) -> condition.test(version) ? decision : Decision.keep();
  }

  /** A decision that is only carried out if there is a value, equal to this one. */
  static <V> Maker<V> ifEqual(@Nullable Object expected, Decision<V> decision) {
    return (current, version) ->
        current != null && current.equals(expected) ? decision : Decision.keep();
  }

  /** A write that is only made if there is no value; one that is there is used. */
  static <V> Maker<V> ifAbsent(Decision<V> write) {
    return (current, version) -> current == null ? write : Decision.use();
  }

  /** What a function that may answer null asked for: null means that the key goes. */
  Decision<V> writeOrRemove(K key, @Nullable V value) {
    return value == null ? Decision.remove() : write(key, value);
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
