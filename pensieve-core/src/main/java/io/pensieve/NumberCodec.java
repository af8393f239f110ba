package io.pensieve;

/**
 * Converts values to whole numbers and back, so that they can be incremented. Called while keys are
 * locked: must be fast, and must not use the map.
 *
 * @param <V> the type of values
 */
public interface NumberCodec<V> {

  /**
   * Returns the number that a value encodes.
   *
   * @throws NumberFormatException if it encodes none, or one outside the range of a {@code long}
   */
  long toLong(V value);

  /** Returns the value that encodes a number. */
  V toValue(long number);

  /**
   * Encodes numbers exactly as {@link Long#toString(long)} writes them: an optional minus, then
   * ASCII digits, without leading zeros, spaces or a plus.
   */
  static NumberCodec<String> decimal() {
    return new NumberCodec<>() {
      @Override
      public long toLong(String value) {
        long number = Long.parseLong(value);
        // parseLong also accepts a plus, leading zeros, and digits of other scripts.
        if (!toValue(number).equals(value)) {
          throw new NumberFormatException("not as a number is written");
        }
        return number;
      }

      @Override
      public String toValue(long number) {
        return Long.toString(number);
      }
    };
  }
}
