package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.lru.UpdateDecision;
import io.pensieve.lru.UpdateFunction;
import org.jspecify.annotations.Nullable;

/**
 * The decision to add something to a key's number. Made once.
 *
 * <p>If there is no number to add to, this decides to change nothing, instead of throwing while the
 * key is locked: the reason may be told only when it is durable.
 */
final class IncrementFunction<K, V> implements UpdateFunction<V> {
  private final K key;
  private final long by;
  private final NumberCodec<V> numberCodec;
  private final UpdateDecisions<K, V> updateDecisions;
  private long sum;
  private @Nullable String refusal;

  IncrementFunction(
      K key, long by, NumberCodec<V> numberCodec, UpdateDecisions<K, V> updateDecisions) {
    this.key = requireNonNull(key);
    this.by = by;
    this.numberCodec = requireNonNull(numberCodec);
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
    return current == null
        ? updateDecisions.write(key, value)
        : updateDecisions.rewrite(key, value);
  }

  /**
   * What is to be added up to; an absent value counts as 0.
   *
   * @throws NumberFormatException if the value stands for no number
   * @throws ArithmeticException if the sum is beyond a {@code long}
   */
  static <V> long sum(@Nullable V current, long by, NumberCodec<V> numberCodec) {
    return Math.addExact(current == null ? 0 : numberCodec.toLong(current), by);
  }

  /** What became of the key, whose version it is; to be told when that is durable. */
  IncrementResult resultOf(long version) {
    if (refusal != null) {
      throw new ArithmeticException(refusal);
    }
    return new IncrementResult(sum, version);
  }
}
