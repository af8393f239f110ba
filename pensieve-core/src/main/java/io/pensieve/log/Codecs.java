package io.pensieve.log;

import static java.util.Objects.requireNonNull;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** The codecs behind {@link Codec}'s factories. */
final class Codecs {
  static final Codec<String> UTF_8 = new Utf8();
  static final Codec<byte[]> BYTES = new Bytes();
  static final Codec<Integer> INT32 =
      new Fixed<>("int32", Integer.BYTES, ByteBuffer::putInt, ByteBuffer::getInt);
  static final Codec<Long> INT64 =
      new Fixed<>("int64", Long.BYTES, ByteBuffer::putLong, ByteBuffer::getLong);
  static final Codec<Boolean> BOOL =
      new Fixed<>(
          "bool", 1, (into, value) -> into.put((byte) (value ? 1 : 0)), Codecs::readBoolean);
  static final Codec<UUID> UUID_CODEC =
      new Fixed<>("uuid", 2 * Long.BYTES, Codecs::writeUuid, Codecs::readUuid);
  static final Codec<Instant> INSTANT =
      new Fixed<>(
          "instant",
          Long.BYTES + Integer.BYTES,
          (into, value) -> into.putLong(value.getEpochSecond()).putInt(value.getNano()),
          Codecs::readInstant);

  private static final long NAN_BITS = Double.doubleToLongBits(Double.NaN);

  // doubleToLongBits: doubles that are equal have equal bits.
  static final Codec<Double> FLOAT64 =
      new Fixed<>(
          "float64",
          Double.BYTES,
          (into, value) -> into.putLong(Double.doubleToLongBits(value)),
          Codecs::readDouble);

  private Codecs() {}

  private static final class Utf8 implements StreamingCodec<String> {
    @Override
    public String name() {
      return "utf8";
    }

    private static final char REPLACEMENT = '\uFFFD';
    private static final int STREAMED_CHARS_MIN = 4096; // an array is faster for shorter ones
    private static final int PIECE_BYTES = 4096;
    private static final int CHAR_BYTES_MAX = 4;

    @Override
    public byte[] encode(String value) {
      requirePairedSurrogates(value);
      return value.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public boolean streams(String value) {
      return value.length() >= STREAMED_CHARS_MIN;
    }

    @Override
    public void encode(String value, Output into) {
      byte[] piece = new byte[PIECE_BYTES];
      if (isAscii(value)) {
        for (int from = 0; from < value.length(); from += PIECE_BYTES) {
          int to = Math.min(from + PIECE_BYTES, value.length());
          copyAscii(value, from, to, piece);
          into.write(piece, 0, to - from);
        }
        return;
      }
      requirePairedSurrogates(value);
      int count = 0;
      for (int i = 0; i < value.length(); i++) {
        if (count > PIECE_BYTES - CHAR_BYTES_MAX) {
          into.write(piece, 0, count);
          count = 0;
        }
        int codePoint = value.codePointAt(i);
        count = encode(codePoint, piece, count);
        i += Character.charCount(codePoint) - 1;
      }
      into.write(piece, 0, count);
    }

    private static boolean isAscii(String value) {
      int bits = 0;
      for (int i = 0; i < value.length(); i++) {
        bits |= value.charAt(i);
      }
      return bits < 0x80;
    }

    @SuppressWarnings("deprecation") // it drops the upper bytes, which are 0 here
    private static void copyAscii(String value, int from, int to, byte[] into) {
      value.getBytes(from, to, into, 0);
    }

    // Returns where the code point ends.
    private static int encode(int codePoint, byte[] into, int at) {
      int end = at;
      if (codePoint < 0x80) {
        into[end++] = (byte) codePoint;
        return end;
      } else if (codePoint < 0x800) {
        into[end++] = (byte) (0xC0 | (codePoint >> 6));
      } else if (codePoint < 0x10000) {
        into[end++] = (byte) (0xE0 | (codePoint >> 12));
        into[end++] = continuation(codePoint >> 6);
      } else {
        into[end++] = (byte) (0xF0 | (codePoint >> 18));
        into[end++] = continuation(codePoint >> 12);
        into[end++] = continuation(codePoint >> 6);
      }
      into[end++] = continuation(codePoint);
      return end;
    }

    private static byte continuation(int bits) {
      return (byte) (0x80 | (bits & 0x3F));
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

  /** Encodes values of a fixed number of bytes, little-endian unless it says otherwise. */
  private record Fixed<T>(
      String name, int bytes, BiConsumer<ByteBuffer, T> write, Function<ByteBuffer, T> read)
      implements Codec<T> {
    @Override
    public byte[] encode(T value) {
      ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
      write.accept(buffer, value);
      return buffer.array();
    }

    @Override
    public T decode(byte[] encoded) {
      if (encoded.length != bytes) {
        throw new IllegalArgumentException("expected " + bytes + " bytes, found " + encoded.length);
      }
      return read.apply(ByteBuffer.wrap(encoded).order(ByteOrder.LITTLE_ENDIAN));
    }
  }

  private static boolean readBoolean(ByteBuffer from) {
    byte found = from.get();
    if (found != 0 && found != 1) {
      throw new IllegalArgumentException("a boolean is 0 or 1, not " + found);
    }
    return found == 1;
  }

  private static double readDouble(ByteBuffer from) {
    double found = from.getDouble();
    if (Double.isNaN(found) && Double.doubleToRawLongBits(found) != NAN_BITS) {
      throw new IllegalArgumentException("a NaN that is not the canonical one");
    }
    return found;
  }

  private static UUID readUuid(ByteBuffer from) {
    from.order(ByteOrder.BIG_ENDIAN);
    return new UUID(from.getLong(), from.getLong());
  }

  private static Instant readInstant(ByteBuffer from) {
    long seconds = from.getLong();
    int nanos = from.getInt();
    if (nanos < 0 || nanos > 999_999_999) {
      throw new IllegalArgumentException("nanoseconds of an instant: " + nanos);
    }
    try {
      return Instant.ofEpochSecond(seconds, nanos);
    } catch (DateTimeException beyondAllTime) {
      throw new IllegalArgumentException("seconds of an instant: " + seconds, beyondAllTime);
    }
  }

  private static void writeUuid(ByteBuffer into, UUID value) {
    into.order(ByteOrder.BIG_ENDIAN)
        .putLong(value.getMostSignificantBits())
        .putLong(value.getLeastSignificantBits());
  }

  /** The name of a codec that contains others; none if one of them has none. */
  static String nameOf(String outer, Codec<?> inner) {
    return inner.name().isEmpty() ? "" : outer + "<" + inner.name() + ">";
  }

  /** Encodes the constants of an enum by their names. */
  record EnumCodec<E extends Enum<E>>(Class<E> type) implements Codec<E> {
    EnumCodec {
      requireNonNull(type);
    }

    @Override
    public String name() {
      return "enum:" + type.getName();
    }

    @Override
    public byte[] encode(E value) {
      return UTF_8.encode(value.name());
    }

    @Override
    public E decode(byte[] bytes) {
      return Enum.valueOf(type, UTF_8.decode(bytes));
    }
  }

  /** Encodes lists of what another codec encodes. */
  record ListCodec<T>(Codec<T> elements) implements StreamingCodec<List<T>> {
    ListCodec {
      requireNonNull(elements);
    }

    @Override
    public String name() {
      return nameOf("list", elements);
    }

    @Override
    public void encode(List<T> value, Output into) {
      int count = value.size();
      into.writeInt(count);
      for (T element : value) {
        into.writeSized(elements, element);
        count--;
      }
      if (count != 0) {
        throw new IllegalArgumentException("the list changes while it is encoded");
      }
    }

    @Override
    public List<T> decode(byte[] bytes) {
      return Parts.split(bytes).stream().map(elements::decode).toList();
    }
  }

  /** Encodes what another codec encodes, or nothing. */
  record OptionalCodec<T>(Codec<T> values) implements StreamingCodec<Optional<T>> {
    private static final byte EMPTY = 0;
    private static final byte PRESENT = 1;

    OptionalCodec {
      requireNonNull(values);
    }

    @Override
    public String name() {
      return nameOf("optional", values);
    }

    @Override
    public void encode(Optional<T> value, Output into) {
      into.write(value.isPresent() ? PRESENT : EMPTY);
      if (value.isPresent()) {
        into.writeValue(values, value.get());
      }
    }

    @Override
    public Optional<T> decode(byte[] bytes) {
      if (bytes.length == 1 && bytes[0] == EMPTY) {
        return Optional.empty();
      } else if (bytes.length == 0 || bytes[0] != PRESENT) {
        throw new IllegalArgumentException("neither empty nor present");
      }
      return Optional.of(values.decode(Arrays.copyOfRange(bytes, 1, bytes.length)));
    }
  }
}
