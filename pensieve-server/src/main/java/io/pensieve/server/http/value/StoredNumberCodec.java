package io.pensieve.server.http.value;

import io.pensieve.NumberCodec;

/** Numbers as values: texts of decimal digits, of any type. */
public enum StoredNumberCodec implements NumberCodec<StoredValue> {
  DECIMAL;

  // The smallest long has the longest text.
  private static final int DIGITS_MAX = 20;

  @Override
  public long toLong(StoredValue value) {
    String text = value.size() <= DIGITS_MAX ? value.text() : null;
    if (text == null) {
      throw new NumberFormatException("not a text of so few digits");
    }
    return NumberCodec.decimal().toLong(text);
  }

  /** Returns a text without a type: the type of an operand does not apply to the sum. */
  @Override
  public StoredValue toValue(long number) {
    return StoredValue.text(NumberCodec.decimal().toValue(number));
  }
}
