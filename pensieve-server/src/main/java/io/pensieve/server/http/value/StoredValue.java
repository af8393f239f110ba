package io.pensieve.server.http.value;

import io.pensieve.log.Codec;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A value as the server keeps it: bytes, and what its writer called them. Immutable; equal if type
 * and bytes are.
 */
public final class StoredValue {
  // It is held just as it is in the log, so that neither writing nor recovering copies it. A text
  // of the routes that know only texts is bare UTF-8; every other value says so by a first byte
  // that UTF-8 never has:
  //
  //   +------+-------------+------------------+-------+
  //   | 0xFF | type length | type             | bytes |
  //   |  1   |  1          | that many, ASCII | rest  |
  //   +------+-------------+------------------+-------+
  //
  // A type of length 0 was not told by the writer.

  /** What the log needs for a value at most, beyond its bytes. */
  public static final int HEADER_BYTES_MAX = 2 + 255;

  /** The longest type, in characters, all of them ASCII. */
  public static final int TYPE_CHARS_MAX = 255;

  /** The type of a text that came without one. */
  public static final String TEXT_TYPE = "text/plain;charset=utf-8";

  /** The type of bytes that came without one. */
  static final String BYTES_TYPE = "application/octet-stream";

  private static final byte TYPED = (byte) 0xFF;
  private static final int TYPE_LENGTH = 1;
  private static final int TYPE = 2;

  private static final int SHORT_BYTES_MAX = 64 << 10; // to make a text of those is quicker

  private static final Codec<StoredValue> CODEC = new StoredValueCodec();

  private final byte[] held;

  private StoredValue(byte[] held) {
    this.held = held;
  }

  /**
   * A text without a type of its own.
   *
   * @throws IllegalArgumentException if it has an unpaired surrogate, which has no UTF-8
   */
  public static StoredValue text(String text) {
    return new StoredValue(Codec.utf8().encode(text));
  }

  /**
   * Bytes of a type.
   *
   * @param type up to {@link #TYPE_CHARS_MAX} characters of ASCII; empty if the writer did not say
   * @param bytes are read to their end, and not copied again
   */
  public static StoredValue typed(String type, ByteArrayInputStream bytes) {
    int length = type.length();
    if (length > TYPE_CHARS_MAX) {
      throw new IllegalArgumentException("a type has at most " + TYPE_CHARS_MAX + " characters");
    }
    byte[] held = new byte[TYPE + length + bytes.available()];
    held[0] = TYPED;
    held[TYPE_LENGTH] = (byte) length;
    System.arraycopy(type.getBytes(StandardCharsets.US_ASCII), 0, held, TYPE, length);
    int unused = bytes.read(held, TYPE + length, held.length - TYPE - length);
    return new StoredValue(held);
  }

  /** The same bytes under another type. */
  public StoredValue withType(String type) {
    return typed(type, new ByteArrayInputStream(held, start(), size()));
  }

  /** Keeps values as they are; bare texts are those of a log that has only ever held texts. */
  public static Codec<StoredValue> codec() {
    return CODEC;
  }

  /** What the writer called the bytes, or what they are called if nobody said. */
  public String type() {
    if (isBare()) {
      return TEXT_TYPE;
    }
    int length = held[TYPE_LENGTH] & 0xff;
    return length == 0 ? BYTES_TYPE : new String(held, TYPE, length, StandardCharsets.US_ASCII);
  }

  /** The bytes, to be read only. */
  public ByteBuffer bytes() {
    int start = start();
    return ByteBuffer.wrap(held, start, held.length - start).slice();
  }

  /** How many bytes there are. */
  public int size() {
    return held.length - start();
  }

  /** How long the array is that it is held in. */
  int bytesHeld() {
    return held.length;
  }

  /** The bytes as text, or null if they are not UTF-8. */
  public @Nullable String text() {
    if (isBare()) {
      return new String(held, StandardCharsets.UTF_8);
    }
    try {
      return Codec.utf8().decode(Arrays.copyOfRange(held, start(), held.length));
    } catch (IllegalArgumentException notUtf8) {
      return null;
    }
  }

  /** Whether it is a text that came without a type, and so known to be UTF-8. */
  public boolean isBareText() {
    return isBare();
  }

  private boolean isBare() {
    return held.length == 0 || held[0] != TYPED;
  }

  private int start() {
    return isBare() ? 0 : TYPE + (held[TYPE_LENGTH] & 0xff);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof StoredValue value && Arrays.equals(held, value.held);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(held);
  }

  /** Its type and size: a value itself is never printed. */
  @Override
  public String toString() {
    return size() + " bytes of " + type();
  }

  private static final class StoredValueCodec implements Codec<StoredValue> {
    /** None: it takes any bytes for a value, so it also reads what other codecs have written. */
    @Override
    public String name() {
      return "";
    }

    @Override
    public byte[] encode(StoredValue value) {
      return value.held;
    }

    @Override
    public StoredValue decode(byte[] bytes) {
      StoredValue value = new StoredValue(bytes);
      if (value.isBare()) {
        requireText(bytes);
      } else if (bytes.length < TYPE || bytes.length < value.start()) {
        throw new IllegalArgumentException("the type of a value is cut off");
      }
      return value;
    }

    // A text that is made only to see whether it can be may take twice what it is made of.
    private static void requireText(byte[] bytes) {
      if (bytes.length <= SHORT_BYTES_MAX) {
        String unused = Codec.utf8().decode(bytes);
      } else if (!Utf8Validator.isWellFormed(ByteBuffer.wrap(bytes))) {
        throw new IllegalArgumentException("not UTF-8");
      }
    }
  }
}
