package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.lru.UpdateDecision;
import io.pensieve.lru.UpdateFunction;
import org.jspecify.annotations.Nullable;

/**
 * The decision to add to a key's number. To be called once.
 *
 * <p>If the value is not a number, it decides to change nothing, instead of throwing while the key
 * is locked. The caller may learn the reason only once that value is durable.
 */
final class IncrementFunction<K, V> implements UpdateFunction<V> {
  private final K key;
  private final long by;
  private final NumberCodec<V> numberCodec;
  private final TimeToLive ttl;
  private final UpdateDecisions<K, V> updateDecisions;
  private long sum;
  private @Nullable String refusal;

  IncrementFunction(
      K key,
      long by,
      NumberCodec<V> numberCodec,
      TimeToLive ttl,
      UpdateDecisions<K, V> updateDecisions) {
    this.key = requireNonNull(key);
    this.by = by;
    this.numberCodec = requireNonNull(numberCodec);
    this.ttl = requireNonNull(ttl);
    this.updateDecisions = updateDecisions;
  }

  @Override
  public UpdateDecision<V> decide(@Nullable V current, long version) {
    try {
      sum = sum(current, by, numberCodec);
    } catch (NumberFormatException notANumber) {
      refusal = "the value is not a whole number of 64 bits";
      return UpdateDecision.keep();
    } catch (ArithmeticException overflow) {
      refusal = "the sum is beyond 64 bits";
      return UpdateDecision.keep();
    }
    V value = numberCodec.toValue(sum);
    return ttl.write(updateDecisions, key, value, current != null);
  }

  /**
   * Returns the sum; an absent value counts as 0.
   *
   * @throws NumberFormatException if the value is not a number
   * @throws ArithmeticException if the sum overflows a {@code long}
   */
  static <V> long sum(@Nullable V current, long by, NumberCodec<V> numberCodec) {
    return Math.addExact(current == null ? 0 : numberCodec.toLong(current), by);
  }

  /** Returns the result for the key with this version; to be called once that is durable. */
  IncrementResult resultOf(long version) {
    if (refusal != null) {
      throw new ArithmeticException(refusal);
    }
    return new IncrementResult(sum, version);
  }
}
