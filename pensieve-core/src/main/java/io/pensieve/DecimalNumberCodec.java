package io.pensieve;

/** Encodes numbers as the shortest strings of decimal digits. */
enum DecimalNumberCodec implements NumberCodec<String> {
  STRICT;

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
}
