package io.pensieve.server.http.protocol;

import io.pensieve.log.Codec;
import io.pensieve.server.http.json.ProblemType;
import io.undertow.server.HttpServerExchange;
import java.util.Arrays;

/**
 * The undecoded path of a request, and its strict decoding. Undertow's own decoded path cannot
 * distinguish {@code a%2Fb} from {@code a%252Fb}, drops {@code ;v=1}, and replaces invalid UTF-8 by
 * U+FFFD.
 */
public final class RawPath {

  private RawPath() {}

  /**
   * Returns the path without decoding and without the query. It begins with a slash, or is {@code
   * *}.
   */
  public static String of(HttpServerExchange exchange) {
    String target = exchange.getRequestURI();
    if (target.startsWith("/") || target.equals("*")) {
      return target;
    }
    return pathOfAbsoluteForm(target);
  }

  // RFC 9112, 3.2.2: a server accepts "GET http://host/path", though clients send it only to
  // proxies.
  private static String pathOfAbsoluteForm(String target) {
    int authority = target.indexOf("://");
    if (authority < 0) {
      throw ProblemType.MALFORMED_PATH.withDetail("the request target is neither a path nor a URL");
    }
    int path = target.indexOf('/', authority + "://".length());
    return path < 0 ? "/" : target.substring(path);
  }

  /**
   * Decodes percent escapes as UTF-8. A plus is a plus, and a slash may be escaped or not.
   *
   * @throws io.pensieve.server.http.json.ProblemException for a broken escape, or for bytes that
   *     are not UTF-8, such as overlong forms and surrogates
   */
  public static String decode(String raw) {
    for (int i = 0; i < raw.length(); i++) {
      char c = raw.charAt(i);
      if (c == '%') {
        return unescape(raw);
      }
      requireVisible(c, i);
    }
    return raw; // visible ASCII, as nearly every key: its UTF-8 is itself
  }

  private static void requireVisible(char c, int index) {
    if (c <= ' ' || c >= 0x7f) {
      throw ProblemType.MALFORMED_PATH.withDetail(
          "the path has an unescaped character that is not visible ASCII at index " + index);
    }
  }

  private static String unescape(String raw) {
    byte[] bytes = new byte[raw.length()];
    int length = 0;
    for (int i = 0; i < raw.length(); i++) {
      char c = raw.charAt(i);
      if (c == '%') {
        bytes[length++] = (byte) (hexDigit(raw, i + 1) << 4 | hexDigit(raw, i + 2));
        i += 2;
      } else {
        requireVisible(c, i);
        bytes[length++] = (byte) c;
      }
    }
    return utf8(Arrays.copyOf(bytes, length));
  }

  private static int hexDigit(String raw, int index) {
    int digit = index < raw.length() ? Character.digit(raw.charAt(index), 16) : -1;
    if (digit < 0) {
      throw ProblemType.MALFORMED_PATH.withDetail(
          "a % in the path is not followed by two hex digits");
    }
    return digit;
  }

  private static String utf8(byte[] bytes) {
    try {
      return Codec.utf8().decode(bytes);
    } catch (IllegalArgumentException notUtf8) {
      throw ProblemType.MALFORMED_PATH.withDetail(
          "the path is not UTF-8 when its escapes are decoded");
    }
  }
}
