package io.pensieve.examples;

import java.io.ByteArrayOutputStream;
import java.util.HexFormat;

/**
 * Any bytes as printable ASCII without spaces, as URLs have it: {@code dark blue} is {@code
 * dark%20blue}.
 */
final class Percent {
  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  private Percent() {}

  static String escape(byte[] bytes) {
    StringBuilder text = new StringBuilder(bytes.length);
    for (byte b : bytes) {
      if (b > ' ' && b < 0x7f && b != '%') {
        text.append((char) b);
      } else {
        text.append('%').append(HEX.toHexDigits(b));
      }
    }
    return text.toString();
  }

  static byte[] unescape(String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '%') {
        bytes.write(HexFormat.fromHexDigits(text, i + 1, i + 3));
        i += 2;
      } else {
        bytes.write(c);
      }
    }
    return bytes.toByteArray();
  }
}
