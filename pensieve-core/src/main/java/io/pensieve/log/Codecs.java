package io.pensieve.log;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** The codecs behind {@link Codec}'s factories. */
final class Codecs {
  static final Codec<String> UTF_8 = new Utf8();
  static final Codec<byte[]> BYTES = new Bytes();
  static final Codec<Long> INT64 = new Int64();

  private Codecs() {}

  private static final class Utf8 implements Codec<String> {
    @Override
    public String name() {
      return "utf8";
    }

    private static final char REPLACEMENT = '\uFFFD';

    @Override
    public byte[] encode(String value) {
      requirePairedSurrogates(value);
      return value.getBytes(StandardCharsets.UTF_8);
    }

    // String.getBytes would silently write '?' for them, and two keys could become equal.
    private static void requirePairedSurrogates(String value) {
      for (int i = 0; i < value.length(); i++) {
        if (Character.isSurrogate(value.charAt(i))) {
          int codePoint = value.codePointAt(i);
          if (!Character.isSupplementaryCodePoint(codePoint)) {
            throw new IllegalArgumentException(
                "not encodable as UTF-8: unpaired surrogate at index " + i);
          }
          i++;
        }
      }
    }

    // String's own decoder is several times as fast as one that reports errors. It replaces errors
    // by U+FFFD, so a text without U+FFFD had no error.
    @Override
    public String decode(byte[] bytes) {
      String text = new String(bytes, StandardCharsets.UTF_8);
      return text.indexOf(REPLACEMENT) < 0 ? text : decodeStrictly(bytes);
    }

    private static String decodeStrictly(byte[] bytes) {
      try {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      } catch (CharacterCodingException notUtf8) {
        throw new IllegalArgumentException("not UTF-8", notUtf8);
      }
    }
  }

  private static final class Bytes implements Codec<byte[]> {
    @Override
    public String name() {
      return "bytes";
    }

    @Override
    public byte[] encode(byte[] value) {
      return value;
    }

    @Override
    public byte[] decode(byte[] bytes) {
      return bytes;
    }
  }

  private static final class Int64 implements Codec<Long> {
    @Override
    public String name() {
      return "int64";
    }

    @Override
    public byte[] encode(Long value) {
      return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
    }

    @Override
    public Long decode(byte[] bytes) {
      if (bytes.length != Long.BYTES) {
        throw new IllegalArgumentException("expected 8 bytes, found " + bytes.length);
      }
      return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }
  }
}
