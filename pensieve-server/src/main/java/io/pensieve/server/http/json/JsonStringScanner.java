package io.pensieve.server.http.json;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * Measures and checks the strings of a JSON text before any string is created. If the text is not
 * JSON the result has no meaning, but never exceeds the length of the text.
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
  private boolean highSurrogate; // an escape just before
  private boolean unpairedSurrogate;

  private enum State {
    OUTSIDE,
    WITHIN,
    ESCAPED,
    UNICODE
  }

  /** Returns the input; whatever is read of it is scanned. */
  InputStream watching(InputStream input) {
    return new FilterInputStream(input) {
      @Override
      public int read() throws IOException {
        int next = super.read();
        if (next >= 0) {
          JsonStringScanner.this.next((byte) next);
        }
        return next;
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        int count = super.read(into, offset, length);
        JsonStringScanner.this.next(into, offset, count);
        return count;
      }
    };
  }

  void next(byte[] bytes, int offset, int count) {
    for (int i = offset; i < offset + count; i++) {
      next(bytes[i]);
    }
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
          follow((char) 0);
        }
      }
      default -> unicode(b);
    }
  }

  private void within(byte b) {
    if (b != '\\') {
      follow((char) 0);
    }
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
      follow((char) unit);
    }
  }

  /** Checks that an escaped low surrogate is where it belongs, and nowhere else. */
  private void follow(char next) {
    unpairedSurrogate |= highSurrogate != Character.isLowSurrogate(next);
    highSurrogate = Character.isHighSurrogate(next);
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

  /** Returns whether half a pair of surrogates was escaped without the other half. */
  boolean hasUnpairedSurrogate() {
    return unpairedSurrogate;
  }
}
