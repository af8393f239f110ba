package io.pensieve;

/**
 * How values stand for whole numbers, so that they can be incremented. Called while keys are
 * locked: must be quick, and must not use the map.
 *
 * @param <V> the type of values
 */
public interface NumberCodec<V> {

  /**
   * The number that a value stands for.
   *
   * @throws NumberFormatException if it stands for none, or for one that no {@code long} can hold
   */
  long toLong(V value);

  /** The value that stands for a number. */
  V toValue(long number);

  /**
   * Strings as {@link Long#toString(long)} writes numbers, and no others: an optional minus, then
   * ASCII digits, without leading zeros, spaces or a plus.
   */
  static NumberCodec<String> decimal() {
    return DecimalNumberCodec.STRICT;
  }
}
