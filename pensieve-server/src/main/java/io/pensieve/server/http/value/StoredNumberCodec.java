package io.pensieve.server.http.value;

import io.pensieve.NumberCodec;

/** Numbers as values: texts of decimal digits, of whatever type. */
public enum StoredNumberCodec implements NumberCodec<StoredValue> {
  DECIMAL;

  // The longest is that of the smallest long.
  private static final int DIGITS_MAX = 20;

  @Override
  public long toLong(StoredValue value) {
    String text = value.size() <= DIGITS_MAX ? value.text() : null;
    if (text == null) {
      throw new NumberFormatException("not a text of so few digits");
    }
    return NumberCodec.decimal().toLong(text);
  }

  /** A text without a type of its own: a sum is not what the writer of its parts called them. */
  @Override
  public StoredValue toValue(long number) {
    return StoredValue.text(NumberCodec.decimal().toValue(number));
  }
}
