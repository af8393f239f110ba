package io.pensieve.server.http.value;

import io.pensieve.log.Codec;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A value as the server stores it: bytes and their type. Immutable; equal if type and bytes are.
 */
public final class StoredValue {
  // The array has the format of the log, so neither writing nor recovery copies it. A text from a
  // route without types is bare UTF-8. Every other value begins with a byte that UTF-8 never
  // contains:
  //
  //   +------+-------------+------------------+-------+
  //   | 0xFF | type length | type             | bytes |
  //   |  1   |  1          | that many, ASCII | rest  |
  //   +------+-------------+------------------+-------+
  //
  // Type length 0 means that the writer gave no type.

  /** The maximum bytes that the log needs for a value, in addition to its own. */
  public static final int HEADER_BYTES_MAX = 2 + 255;

  /** The longest type, in characters, all of them ASCII. */
  public static final int TYPE_CHARS_MAX = 255;

  /** The type of a text without a type of its own. */
  public static final String TEXT_TYPE = "text/plain;charset=utf-8";

  /** The type of bytes without a type of their own. */
  static final String BYTES_TYPE = "application/octet-stream";

  private static final byte TYPED = (byte) 0xFF;
  private static final int TYPE_LENGTH = 1;
  private static final int TYPE = 2;

  private static final int SHORT_BYTES_MAX = 64 << 10; // decoding these is faster

  private static final Codec<StoredValue> CODEC = new StoredValueCodec();

  private final byte[] held;

  private StoredValue(byte[] held) {
    this.held = held;
  }

  /**
   * Returns a text without a type of its own.
   *
   * @throws IllegalArgumentException if it has an unpaired surrogate, which has no UTF-8
   */
  public static StoredValue text(String text) {
    return new StoredValue(Codec.utf8().encode(text));
  }

  /**
   * Returns a text without a type of its own.
   *
   * @param ascii the text, nothing but ASCII; is kept, so the caller must not change it
   */
  public static StoredValue ascii(byte[] ascii) {
    StoredValue value = new StoredValue(ascii);
    assert value.isBare() && Utf8Validator.isWellFormed(ByteBuffer.wrap(ascii)) : "not ASCII";
    return value;
  }

  /**
   * Returns bytes with a type.
   *
   * @param type up to {@link #TYPE_CHARS_MAX} characters of ASCII; empty if the writer gave none
   * @param bytes are read to their end, and copied once
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

  /** Returns the same bytes with another type. */
  public StoredValue withType(String type) {
    return typed(type, new ByteArrayInputStream(held, start(), size()));
  }

  /**
   * Returns a codec that stores values unchanged. It reads the values of a text-only log as bare
   * texts.
   */
  public static Codec<StoredValue> codec() {
    return CODEC;
  }

  /** Returns the type that the writer gave, or the default type. */
  public String type() {
    if (isBare()) {
      return TEXT_TYPE;
    }
    int length = held[TYPE_LENGTH] & 0xff;
    return length == 0 ? BYTES_TYPE : new String(held, TYPE, length, StandardCharsets.US_ASCII);
  }

  /** Returns the bytes, which the caller must not change. */
  public ByteBuffer bytes() {
    int start = start();
    return ByteBuffer.wrap(held, start, held.length - start).slice();
  }

  /** Returns the number of bytes. */
  public int size() {
    return held.length - start();
  }

  /** Returns the length of the array that holds the value. */
  int bytesHeld() {
    return held.length;
  }

  /** Returns the bytes as text, or null if they are not UTF-8. */
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

  /** Returns whether this is a text without a type, which is known to be UTF-8. */
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

  /** Returns type and size, never the value itself. */
  @Override
  public String toString() {
    return size() + " bytes of " + type();
  }

  private static final class StoredValueCodec implements Codec<StoredValue> {
    /** Returns no name: the codec accepts any bytes, so it also reads what other codecs wrote. */
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

    // Decoding a long text only to check it could take twice its size in memory.
    private static void requireText(byte[] bytes) {
      if (bytes.length <= SHORT_BYTES_MAX) {
        String unused = Codec.utf8().decode(bytes);
      } else if (!Utf8Validator.isWellFormed(ByteBuffer.wrap(bytes))) {
        throw new IllegalArgumentException("not UTF-8");
      }
    }
  }
}
