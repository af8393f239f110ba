package io.pensieve.server.http.json;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The texts of a JSON object such as {@code {"key":"a","val":"b"}}, as places in its bytes.
 *
 * <p>Only for a plain object: its fields are the expected ones, once each and in their order, and
 * all characters are ASCII without escapes. Most bodies are plain. They need neither the time of
 * {@link JsonObjectReader} nor its memory, some 3 KiB a request. That class decides about all
 * others, and reads a plain object the same way.
 */
public final class PlainFields {
  private final byte[] json;
  private final ByteBuffer buffer; // the same bytes
  private final int[] starts;
  private final int[] ends;
  private int at;

  private PlainFields(byte[] json, int fields) {
    this.json = json;
    this.buffer = ByteBuffer.wrap(json);
    this.starts = new int[fields];
    this.ends = new int[fields];
  }

  /**
   * Returns the texts of a plain object.
   *
   * @param names the names of its fields with their quotes, such as {@code "key"}, in ASCII
   * @return null if the bytes are anything else, JSON or not
   */
  public static @Nullable PlainFields read(byte[] json, byte[]... names) {
    PlainFields fields = new PlainFields(json, names.length);
    return fields.isPlain(names) ? fields : null;
  }

  private boolean isPlain(byte[]... names) {
    for (int field = 0; field < names.length; field++) {
      if (!skip(field == 0 ? '{' : ',') || !skipName(names[field]) || !skip(':') || !skip('"')) {
        return false;
      }
      starts[field] = at;
      at = PlainAscii.end(buffer, at);
      ends[field] = at;
      if (!skipHere('"')) {
        return false;
      }
    }
    return skip('}') && isAtEnd();
  }

  /** Skips blanks, then this character. */
  private boolean skip(char expected) {
    skipBlanks();
    return skipHere(expected);
  }

  private boolean skipHere(char expected) {
    if (at < json.length && json[at] == expected) {
      at++;
      return true;
    }
    return false;
  }

  private void skipBlanks() {
    while (at < json.length && isBlank(json[at])) {
      at++;
    }
  }

  private static boolean isBlank(byte b) {
    return b == ' ' || b == '\t' || b == '\n' || b == '\r';
  }

  private boolean skipName(byte[] name) {
    skipBlanks();
    int end = at + name.length;
    boolean isThere = end <= json.length && Arrays.equals(json, at, end, name, 0, name.length);
    at = isThere ? end : at;
    return isThere;
  }

  private boolean isAtEnd() {
    skipBlanks();
    return at == json.length;
  }

  /** Returns the text of a field, by its place among the names. */
  public String text(int field) {
    return new String(json, starts[field], ends[field] - starts[field], StandardCharsets.US_ASCII);
  }

  /** Returns the same text in UTF-8, as a new array. */
  public byte[] bytes(int field) {
    return Arrays.copyOfRange(json, starts[field], ends[field]);
  }
}
