package io.pensieve.server.http.json;

import io.pensieve.server.http.value.StoredValue;
import io.pensieve.server.http.value.Utf8Validator;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A stored value as a JSON string, produced while it is sent: its text, or its bytes in base64.
 * Escapes the same characters as Gson, and needs no memory besides the value's.
 */
abstract class LazyJsonString implements LazyBytes.Part {
  /** As in {@code \\u0001}. */
  static final int ESCAPE_BYTES_MAX = 6;

  private static final int BASE64_SOURCE = 3;
  private static final int BASE64_CHARS = 4;
  private static final int UNICODE_ESCAPE_BITS = 0xF;
  private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

  // U+2028 and U+2029 are line ends in JavaScript, but not in JSON: E2 80 A8 and E2 80 A9.
  private static final byte LINE_END_1 = (byte) 0xE2;
  private static final byte LINE_END_2 = (byte) 0x80;
  private static final byte LINE_END_3 = (byte) 0xA8;
  private static final int LINE_END_BYTES = 3;

  final ByteBuffer source;
  private final long length;

  private LazyJsonString(ByteBuffer source, long length) {
    this.source = source;
    this.length = length;
  }

  /** Returns the text of a value, or null if the value is not UTF-8. Reads the whole value. */
  static @Nullable LazyJsonString text(StoredValue value) {
    ByteBuffer bytes = value.bytes();
    if (!value.isBareText() && !Utf8Validator.isWellFormed(bytes)) {
      return null;
    }
    return new Text(bytes, escapedLength(bytes));
  }

  /** Returns the bytes of a value, in base64. */
  static LazyJsonString base64(StoredValue value) {
    ByteBuffer bytes = value.bytes();
    long groups = ((long) bytes.remaining() + BASE64_SOURCE - 1) / BASE64_SOURCE;
    return new Base64Text(bytes, groups * BASE64_CHARS);
  }

  @Override
  public long length() {
    return 1 + length + 1;
  }

  @Override
  public long bytesHeld() {
    return source.remaining();
  }

  private static long escapedLength(ByteBuffer bytes) {
    long length = 0;
    int end = bytes.limit();
    for (int at = 0; at < end; ) {
      if (isLineEnd(bytes, at)) {
        length += ESCAPE_BYTES_MAX;
        at += LINE_END_BYTES;
      } else {
        length += escapedBytes(bytes.get(at));
        at++;
      }
    }
    return length;
  }

  private static boolean isLineEnd(ByteBuffer bytes, int at) {
    return bytes.get(at) == LINE_END_1
        && bytes.get(at + 1) == LINE_END_2
        && (bytes.get(at + 2) & ~1) == LINE_END_3;
  }

  private static int escapedBytes(byte b) {
    if (b == '"' || b == '\\') {
      return 2;
    }
    if (b < 0 || b >= ' ') {
      return 1;
    }
    return shortEscape(b) == 0 ? ESCAPE_BYTES_MAX : 2;
  }

  private static int shortEscape(byte b) {
    return switch (b) {
      case '\t' -> 't';
      case '\b' -> 'b';
      case '\n' -> 'n';
      case '\r' -> 'r';
      case '\f' -> 'f';
      default -> 0;
    };
  }

  private static final class Text extends LazyJsonString {
    Text(ByteBuffer source, long length) {
      super(source, length);
    }

    @Override
    public LazyBytes.PartReader read() {
      return new Quoted(
          source.duplicate(),
          (rest, buffer) -> {
            while (rest.hasRemaining() && escaped(rest, buffer)) {
              // escaped() has written one character.
            }
          });
    }

    /**
     * Writes the next character, or a byte of it that needs no escape. Returns false if the buffer
     * is full.
     */
    private static boolean escaped(ByteBuffer rest, ByteBuffer buffer) {
      int at = rest.position();
      byte b = rest.get(at);
      if (isLineEnd(rest, at)) {
        int unit = 0x2000 | (0x28 + (rest.get(at + 2) & 1));
        return unicode(unit, LINE_END_BYTES, rest, buffer);
      }
      int bytes = escapedBytes(b);
      if (bytes == ESCAPE_BYTES_MAX) {
        return unicode(b, 1, rest, buffer);
      }
      if (buffer.remaining() < bytes) {
        return false;
      }
      if (bytes == 2) {
        int letter = shortEscape(b);
        buffer.put((byte) '\\').put(letter == 0 ? b : (byte) letter);
      } else {
        buffer.put(b);
      }
      rest.position(at + 1);
      return true;
    }

    private static boolean unicode(int unit, int taken, ByteBuffer rest, ByteBuffer buffer) {
      if (buffer.remaining() < ESCAPE_BYTES_MAX) {
        return false;
      }
      buffer.put((byte) '\\').put((byte) 'u');
      for (int shift = 12; shift >= 0; shift -= 4) {
        buffer.put(HEX[(unit >> shift) & UNICODE_ESCAPE_BITS]);
      }
      rest.position(rest.position() + taken);
      return true;
    }
  }

  private static final class Base64Text extends LazyJsonString {
    private static final int GROUPS_AT_ONCE = 1 << 10;

    Base64Text(ByteBuffer source, long length) {
      super(source, length);
    }

    @Override
    public LazyBytes.PartReader read() {
      return new Quoted(source.duplicate(), Base64Text::encode);
    }

    private static void encode(ByteBuffer rest, ByteBuffer buffer) {
      while (rest.hasRemaining() && buffer.remaining() >= BASE64_CHARS) {
        int groups = Math.min(GROUPS_AT_ONCE, buffer.remaining() / BASE64_CHARS);
        byte[] some = new byte[Math.min(groups * BASE64_SOURCE, rest.remaining())];
        rest.get(some);
        buffer.put(Base64.getEncoder().encode(some));
      }
    }
  }

  /** Writes as many bytes of the rest as fit. */
  private interface Content {
    void put(ByteBuffer rest, ByteBuffer buffer);
  }

  private static final class Quoted implements LazyBytes.PartReader {
    private final ByteBuffer rest;
    private final Content content;
    private State state = State.BEFORE;

    private enum State {
      BEFORE,
      WITHIN,
      BEHIND
    }

    Quoted(ByteBuffer rest, Content content) {
      this.rest = rest;
      this.content = content;
    }

    @Override
    public boolean fill(ByteBuffer buffer) {
      if (state == State.BEFORE && buffer.hasRemaining()) {
        buffer.put((byte) '"');
        state = State.WITHIN;
      }
      if (state == State.WITHIN) {
        content.put(rest, buffer);
        if (!rest.hasRemaining() && buffer.hasRemaining()) {
          buffer.put((byte) '"');
          state = State.BEHIND;
        }
      }
      return state == State.BEHIND;
    }
  }
}
