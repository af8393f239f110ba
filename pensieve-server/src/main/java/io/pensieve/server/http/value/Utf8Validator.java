package io.pensieve.server.http.value;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Checks whether bytes are UTF-8, without decoding them. */
public final class Utf8Validator {
  private static final int CONTINUED = 0x80; // 10xxxxxx
  private static final int CONTINUED_MASK = 0xC0;

  private Utf8Validator() {}

  /** Returns a text as UTF-8. */
  public static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Checks the rules of RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF. */
  public static boolean isWellFormed(ByteBuffer bytes) {
    int end = bytes.limit();
    for (int at = bytes.position(); at < end; ) {
      int first = bytes.get(at++);
      if (first >= 0) {
        continue;
      }
      int more = more(first & 0xff);
      if (more == 0 || at + more > end || !mayFollow(first & 0xff, bytes.get(at) & 0xff)) {
        return false;
      }
      for (int last = at + more; at < last; at++) {
        if ((bytes.get(at) & CONTINUED_MASK) != CONTINUED) {
          return false;
        }
      }
    }
    return true;
  }

  /** Returns how many bytes follow this first byte; 0 if it cannot be a first byte. */
  private static int more(int first) {
    if (first < 0xC2) {
      return 0;
    }
    if (first < 0xE0) {
      return 1;
    }
    if (first < 0xF0) {
      return 2;
    }
    return first < 0xF5 ? 3 : 0;
  }

  private static boolean mayFollow(int first, int second) {
    return switch (first) {
      case 0xE0 -> second >= 0xA0; // otherwise overlong
      case 0xED -> second < 0xA0; // otherwise a surrogate
      case 0xF0 -> second >= 0x90; // otherwise overlong
      case 0xF4 -> second < 0x90; // otherwise above U+10FFFF
      default -> true;
    };
  }
}
