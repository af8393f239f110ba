package io.pensieve.server.http.protocol;

import io.undertow.util.Methods;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Parses the lines of a request's head, and how they frame its body. For one thread at a time. */
final class RequestHeadParser {
  // Undertow's parser accepts everything that passes here; its own rejections would have no body.
  private static final int METHOD_BYTES_MAX = 32;
  private static final int LINES_MAX = 200;
  private static final int PORT_MAX = 65_535;
  private static final int PORT_DIGITS_MAX = 5;
  private static final int BYTES = 256;

  private static final boolean[] TOKEN = alphanumericAnd("!#$%&'*+-.^_`|~");
  private static final boolean[] HOST = alphanumericAnd("-._~!$&'()*+,;=");
  private static final boolean[] ADDRESS = alphanumericAnd(":.");
  private static final boolean[] DIGITS = new boolean[BYTES];
  private static final boolean[] BLANKS = new boolean[BYTES];

  static {
    Arrays.fill(DIGITS, '0', '9' + 1, true);
    BLANKS[' '] = true;
    BLANKS['\t'] = true;
  }

  private static final byte[] HTTP = ascii("HTTP/");
  private static final int VERSION_BYTES = HTTP.length + "1.1".length();
  private static final byte[] HTTP_URL = ascii("http://");
  private static final byte[] HTTPS_URL = ascii("https://");
  private static final byte[] HEAD_NAME = ascii("head");
  private static final byte[] HOST_NAME = ascii("host");
  private static final byte[] LENGTH_NAME = ascii("content-length");
  private static final byte[] CODING_NAME = ascii("transfer-encoding");

  // State of the current head.
  private boolean isHttp10;
  private int count;
  private @Nullable String authority;
  private @Nullable String host; // as in the line, with the spaces around it
  private int codings;
  private boolean isChunked;
  private int lengths;
  private long contentLength;

  // From any head of this connection; if not null, it is a valid host.
  private @Nullable String lastHost;

  /** Prepares for the next head. */
  void reset() {
    isHttp10 = false;
    count = 0;
    authority = null;
    host = null;
    codings = 0;
    isChunked = false;
    lengths = 0;
    contentLength = 0;
  }

  /** Returns whether the body is chunked. Valid once the head is complete. */
  boolean isChunked() {
    return isChunked;
  }

  /** Returns the length of the body, if it is not chunked. Valid once the head is complete. */
  long contentLength() {
    return contentLength;
  }

  /** Parses a line, without its end. Returns its error, or null. */
  @Nullable FramingError accept(
      ByteBuffer bytes, int from, int to, boolean isFirst, boolean isLast) {
    if (isFirst) {
      return firstLine(bytes, from, to);
    }
    return isLast ? all() : field(bytes, from, to);
  }

  private @Nullable FramingError firstLine(ByteBuffer bytes, int from, int to) {
    int method = span(TOKEN, bytes, from, to);
    boolean hasMethod =
        method > from
            && method - from <= METHOD_BYTES_MAX
            && is(bytes, method, ' ')
            && !isNearlyHead(bytes, from, method);
    int version = to - VERSION_BYTES;
    if (!hasMethod
        || version <= method
        || !isVersion(bytes, version)
        || !is(bytes, version - 1, ' ')) {
      return FramingError.FIRST_LINE;
    }
    int major = bytes.get(to - 3) - '0';
    int minor = bytes.get(to - 1) - '0';
    if (major != 1) {
      return FramingError.VERSION;
    }
    isHttp10 = minor == 0;
    return target(bytes, from, method + 1, version - 1);
  }

  // Undertow takes it for HEAD, and would announce a body that it does not send.
  private static boolean isNearlyHead(ByteBuffer bytes, int from, int to) {
    return to - from == HEAD_NAME.length
        && isNamed(bytes, from, HEAD_NAME)
        && !text(bytes, from, to).equals(Methods.HEAD_STRING);
  }

  private static boolean isVersion(ByteBuffer bytes, int at) {
    for (int i = 0; i < HTTP.length; i++) {
      if (bytes.get(at + i) != HTTP[i]) {
        return false;
      }
    }
    return isDigit(bytes.get(at + HTTP.length))
        && is(bytes, at + HTTP.length + 1, '.')
        && isDigit(bytes.get(at + HTTP.length + 2));
  }

  private @Nullable FramingError target(ByteBuffer bytes, int method, int from, int to) {
    for (int at = from; at < to; at++) {
      byte b = bytes.get(at);
      // Accept all visible ASCII characters, except '#', which cannot be in a path.
      if (b <= ' ' || b == 0x7f || b == '#') {
        return b == ' ' ? FramingError.FIRST_LINE : FramingError.TARGET;
      }
      if (b == '%'
          && !(at + 2 < to && hex(bytes.get(at + 1)) >= 0 && hex(bytes.get(at + 2)) >= 0)) {
        return FramingError.TARGET;
      }
    }
    if (from < to && (is(bytes, from, '/') || isAsterisk(bytes, method, from, to))) {
      return null;
    }
    int scheme = startsWith(bytes, from, to, HTTP_URL) ? HTTP_URL.length : HTTPS_URL.length;
    if (scheme == HTTPS_URL.length && !startsWith(bytes, from, to, HTTPS_URL)) {
      return FramingError.TARGET;
    }
    int end = from + scheme;
    while (end < to && bytes.get(end) != '/' && bytes.get(end) != '?') {
      end++;
    }
    authority = text(bytes, from + scheme, end);
    return isHost(authority) ? null : FramingError.TARGET;
  }

  private static boolean isAsterisk(ByteBuffer bytes, int method, int from, int to) {
    return to - from == 1
        && is(bytes, from, '*')
        && text(bytes, method, from - 1).equals(Methods.OPTIONS_STRING);
  }

  private @Nullable FramingError field(ByteBuffer bytes, int from, int to) {
    int colon = span(TOKEN, bytes, from, to);
    if (colon == from || !is(bytes, colon, ':')) {
      return FramingError.FIELD_LINE;
    }
    if (++count > LINES_MAX) {
      return FramingError.HEAD_LENGTH;
    }
    int length = colon - from;
    if (length == HOST_NAME.length && isNamed(bytes, from, HOST_NAME)) {
      return host(bytes, colon + 1, to);
    }
    if (length == LENGTH_NAME.length && isNamed(bytes, from, LENGTH_NAME)) {
      return length(bytes, colon + 1, to);
    }
    if (length == CODING_NAME.length && isNamed(bytes, from, CODING_NAME)) {
      codings++;
      isChunked = value(bytes, colon, to).equalsIgnoreCase("chunked");
      return codings == 1 && isChunked ? null : FramingError.CODING;
    }
    return null;
  }

  private @Nullable FramingError host(ByteBuffer bytes, int from, int to) {
    boolean isOnly = host == null;
    String before = lastHost; // a client names the same host in each request of a connection
    String value = before != null && isText(bytes, from, to, before) ? before : null;
    if (value == null) {
      value = text(bytes, from, to);
      if (!isHost(value.strip())) {
        return FramingError.HOST;
      }
      lastHost = value;
    }
    host = value;
    return isOnly ? null : FramingError.HOST;
  }

  private static boolean isText(ByteBuffer bytes, int from, int to, String text) {
    if (to - from != text.length()) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      if ((bytes.get(from + i) & 0xff) != text.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  // Reads the digits in place: each PUT has such a line, and a text of it would be garbage at once.
  private @Nullable FramingError length(ByteBuffer bytes, int from, int to) {
    int start = span(BLANKS, bytes, from, to);
    int end = span(DIGITS, bytes, start, to);
    if (++lengths > 1 || end == start || span(BLANKS, bytes, end, to) != to) {
      return FramingError.LENGTH;
    }
    if (end - start > FramingError.LENGTH_DIGITS_MAX) {
      return FramingError.LENGTH_DIGITS;
    }
    long length = 0;
    for (int at = start; at < end; at++) {
      length = 10 * length + (bytes.get(at) - '0');
    }
    contentLength = length;
    return null;
  }

  /** Returns the error of all lines together, or null. */
  private @Nullable FramingError all() {
    if (codings > 0 && lengths > 0) {
      return FramingError.CODING_WITH_LENGTH;
    }
    if (codings > 0 && isHttp10) {
      return FramingError.CODING_IN_HTTP_10;
    }
    if (host == null && !isHttp10) {
      return FramingError.HOST;
    }
    // RFC 9112, 3.2: both must be the same.
    return authority == null || (host != null && authority.equalsIgnoreCase(host.strip()))
        ? null
        : FramingError.HOST;
  }

  private static boolean isHost(String text) {
    int bracket = text.lastIndexOf(']');
    int colon = text.indexOf(':', bracket + 1);
    String name = colon < 0 ? text : text.substring(0, colon);
    return (colon < 0 || isPort(text.substring(colon + 1)))
        && (bracket < 0 ? isMadeOf(HOST, name) : isAddress(name));
  }

  private static boolean isPort(String text) {
    boolean isNumber = text.length() <= PORT_DIGITS_MAX && isMadeOf(DIGITS, text);
    int port = isNumber ? Integer.parseInt(text) : 0;
    return port > 0 && port <= PORT_MAX;
  }

  private static boolean isAddress(String bracketed) {
    boolean isBracketed = bracketed.startsWith("[") && bracketed.endsWith("]");
    if (!isBracketed || !isMadeOf(ADDRESS, bracketed.substring(1, bracketed.length() - 1))) {
      return false;
    }
    try {
      // A text in brackets is not a name, so this does no lookup.
      return InetAddress.getByName(bracketed) != null;
    } catch (UnknownHostException noAddress) {
      return false;
    }
  }

  private static boolean isMadeOf(boolean[] set, String text) {
    for (int i = 0; i < text.length(); i++) {
      if (!set[text.charAt(i)]) {
        return false;
      }
    }
    return !text.isEmpty();
  }

  /** Returns whether this line is a name, a colon and a value; the caller excludes controls. */
  static boolean isField(ByteBuffer bytes, int from, int to) {
    int colon = span(TOKEN, bytes, from, to);
    return colon > from && colon < to && is(bytes, colon, ':');
  }

  /** Returns whether no line may contain this byte. */
  static boolean isControl(byte b) {
    return (b >= 0 && b < ' ' && b != '\t') || b == 0x7f;
  }

  /** Returns the value of a hex digit, or -1 if it is none. */
  static int hex(byte b) {
    return b < 0 ? -1 : Character.digit(b, 16);
  }

  private static boolean isDigit(byte b) {
    return b >= '0' && b <= '9';
  }

  private static boolean is(ByteBuffer bytes, int at, char c) {
    return bytes.get(at) == c;
  }

  private static int span(boolean[] set, ByteBuffer bytes, int from, int to) {
    int at = from;
    while (at < to && set[bytes.get(at) & 0xff]) {
      at++;
    }
    return at;
  }

  private static boolean startsWith(ByteBuffer bytes, int from, int to, byte[] prefix) {
    return to - from >= prefix.length && isNamed(bytes, from, prefix);
  }

  /** Returns whether these bytes equal this name, ignoring case. The name is in lower case. */
  private static boolean isNamed(ByteBuffer bytes, int at, byte[] name) {
    for (int i = 0; i < name.length; i++) {
      if (lowerCase(bytes.get(at + i)) != name[i]) {
        return false;
      }
    }
    return true;
  }

  private static int lowerCase(byte b) {
    return b >= 'A' && b <= 'Z' ? b + ('a' - 'A') : b;
  }

  private static String value(ByteBuffer bytes, int colon, int to) {
    return text(bytes, colon + 1, to).strip();
  }

  private static String text(ByteBuffer bytes, int from, int to) {
    byte[] copy = new byte[to - from];
    bytes.get(from, copy);
    return new String(copy, StandardCharsets.ISO_8859_1);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static boolean[] alphanumericAnd(String others) {
    boolean[] set = new boolean[BYTES];
    for (char c = '0'; c <= 'z'; c++) {
      set[c] = Character.isLetterOrDigit(c);
    }
    others.chars().forEach(c -> set[c] = true);
    return set;
  }
}
