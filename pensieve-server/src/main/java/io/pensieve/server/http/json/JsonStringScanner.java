package io.pensieve.server.http.json;

/**
 * Measures the strings of a JSON text before any string is created. If the text is not JSON the
 * result has no meaning, but never exceeds the length of the text.
 */
public final class JsonStringScanner {
  private static final int HEX_DIGITS = 4;
  private static final int HEX_BITS = 4;
  private static final int HALF_PAIR_BYTES = 2;

  private State state = State.OUTSIDE;
  private long current;
  private long longest;
  private int digits;
  private int unit;

  private enum State {
    OUTSIDE,
    WITHIN,
    ESCAPED,
    UNICODE
  }

  public void next(byte b) {
    switch (state) {
      case OUTSIDE -> {
        if (b == '"') {
          state = State.WITHIN;
          current = 0;
        }
      }
      case WITHIN -> within(b);
      case ESCAPED -> {
        if (b == 'u') {
          state = State.UNICODE;
          digits = 0;
          unit = 0;
        } else {
          state = State.WITHIN;
          current++;
        }
      }
      default -> unicode(b);
    }
  }

  private void within(byte b) {
    if (b == '"') {
      state = State.OUTSIDE;
      longest = Math.max(longest, current);
    } else if (b == '\\') {
      state = State.ESCAPED;
    } else {
      current++;
    }
  }

  private void unicode(byte b) {
    unit = unit << HEX_BITS | Math.max(0, Character.digit(b, 1 << HEX_BITS));
    if (++digits == HEX_DIGITS) {
      state = State.WITHIN;
      current += utf8Bytes((char) unit);
    }
  }

  private static int utf8Bytes(char unit) {
    if (Character.isSurrogate(unit)) {
      return HALF_PAIR_BYTES;
    }
    return unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
  }

  /** Returns the length of the longest complete string, in bytes of UTF-8. */
  public long longest() {
    return longest;
  }
}
