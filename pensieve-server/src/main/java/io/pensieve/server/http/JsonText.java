package io.pensieve.server.http;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Texts inside JSON, made from their UTF-8 without becoming strings on the way: a value goes from
 * the map to the socket by one pass and one copy. Escapes what Gson escapes, as Gson does.
 */
final class JsonText {
  private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
  private static final int UNICODE_ESCAPE_BYTES = 6; // backslash, u, four digits

  // How many bytes each ASCII character becomes: itself, two as a line feed does, or an escape.
  private static final byte[] ESCAPED_BYTES = new byte[0x80];

  static {
    for (int c = 0; c < ESCAPED_BYTES.length; c++) {
      ESCAPED_BYTES[c] = (byte) (c >= ' ' ? 1 : UNICODE_ESCAPE_BYTES);
    }
    for (char c : "\"\\\b\f\n\r\t".toCharArray()) {
      ESCAPED_BYTES[c] = 2;
    }
  }

  private JsonText() {}

  /** The text between two others, which are not escaped. */
  static byte[] between(byte[] before, ByteBuffer utf8, byte[] after) {
    int escaped = escapedBytes(utf8);
    byte[] json = new byte[before.length + escaped + after.length];
    System.arraycopy(before, 0, json, 0, before.length);
    if (escaped == utf8.remaining()) {
      utf8.duplicate().get(json, before.length, escaped);
    } else {
      escape(utf8, json, before.length);
    }
    System.arraycopy(after, 0, json, before.length + escaped, after.length);
    return json;
  }

  private static int escapedBytes(ByteBuffer utf8) {
    long bytes = 0;
    for (int i = utf8.position(); i < utf8.limit(); i++) {
      byte b = utf8.get(i);
      if (b >= 0) {
        bytes += ESCAPED_BYTES[b];
      } else {
        // U+2028 has three bytes, and its escape six: the first of them has to be four.
        bytes += isLineSeparator(utf8, i) ? UNICODE_ESCAPE_BYTES - 2 : 1;
      }
    }
    return Math.toIntExact(bytes);
  }

  // U+2028 and U+2029, which older JavaScript takes for ends of lines.
  private static boolean isLineSeparator(ByteBuffer utf8, int i) {
    return utf8.get(i) == (byte) 0xE2
        && i + 2 < utf8.limit()
        && utf8.get(i + 1) == (byte) 0x80
        && (utf8.get(i + 2) & 0xfe) == 0xA8;
  }

  private static void escape(ByteBuffer utf8, byte[] json, int start) {
    int at = start;
    for (int i = utf8.position(); i < utf8.limit(); i++) {
      byte b = utf8.get(i);
      if (b >= 0) {
        at = escapeAscii(b, json, at);
      } else if (isLineSeparator(utf8, i)) {
        at = unicodeEscape(0x2028 + (utf8.get(i + 2) & 1), json, at);
        i += 2;
      } else {
        json[at++] = b;
      }
    }
  }

  private static int escapeAscii(byte b, byte[] json, int start) {
    int at = start;
    switch (ESCAPED_BYTES[b]) {
      case 1 -> json[at++] = b;
      case 2 -> {
        json[at++] = '\\';
        json[at++] = (byte) shortEscape(b);
      }
      default -> at = unicodeEscape(b, json, at);
    }
    return at;
  }

  private static char shortEscape(byte b) {
    return switch (b) {
      case '\b' -> 'b';
      case '\f' -> 'f';
      case '\n' -> 'n';
      case '\r' -> 'r';
      case '\t' -> 't';
      default -> (char) b;
    };
  }

  private static int unicodeEscape(int c, byte[] json, int start) {
    int at = start;
    json[at++] = '\\';
    json[at++] = 'u';
    for (int shift = 12; shift >= 0; shift -= 4) {
      json[at++] = HEX[c >> shift & 0xf];
    }
    return at;
  }
}
