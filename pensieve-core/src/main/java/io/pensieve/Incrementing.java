package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.lru.Decision;
import io.pensieve.lru.Maker;
import org.jspecify.annotations.Nullable;

/**
 * The decision to add something to a key's number. Made once.
 *
 * <p>If there is no number to add to, this decides to change nothing, instead of throwing while the
 * key is locked: the reason may be told only when it is durable.
 */
final class Incrementing<K, V> implements Maker<V> {
  private final K key;
  private final long by;
  private final Numeric<V> numeric;
  private final Writes<K, V> writes;
  private long sum;
  private @Nullable String refusal;

  Incrementing(K key, long by, Numeric<V> numeric, Writes<K, V> writes) {
    this.key = requireNonNull(key);
    this.by = by;
    this.numeric = requireNonNull(numeric);
    this.writes = writes;
  }

  @Override
  public Decision<V> decide(@Nullable V current, long version) {
    try {
      sum = sum(current, by, numeric);
    } catch (NumberFormatException notANumber) {
      refusal = "the value is not a whole number of 64 bits";
      return Decision.keep();
    } catch (ArithmeticException overflow) {
      refusal = "the sum is beyond 64 bits";
      return Decision.keep();
    }
    V value = numeric.toValue(sum);
    return current == null ? writes.write(key, value) : writes.rewrite(key, value);
  }

  /**
   * What is to be added up to; an absent value counts as 0.
   *
   * @throws NumberFormatException if the value stands for no number
   * @throws ArithmeticException if the sum is beyond a {@code long}
   */
  static <V> long sum(@Nullable V current, long by, Numeric<V> numeric) {
    return Math.addExact(current == null ? 0 : numeric.toLong(current), by);
  }

  /** What became of the key, whose version it is; to be told when that is durable. */
  Increment told(long version) {
    if (refusal != null) {
      throw new ArithmeticException(refusal);
    }
    return new Increment(sum, version);
  }
}
