package io.pensieve.log;

import java.io.ObjectInputFilter;
import java.io.Serializable;
import java.lang.reflect.Proxy;
import java.nio.charset.Charset;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Encodes keys or values as bytes and decodes them. Must be lossless: {@code
 * decode(encode(x)).equals(x)}. For keys, {@code encode(x)} must equal {@code encode(y)} exactly
 * when {@code x.equals(y)}.
 *
 * <p>Many threads call a codec at once, so implementations are stateless or thread-safe. A codec is
 * called while the entry's key is locked and must not call the map. A {@link StreamingCodec}
 * encodes large values without an array of their whole length.
 *
 * @param <T> what is encoded
 */
public interface Codec<T> {

  /**
   * Encodes a value in an array that the caller may keep but not change.
   *
   * @throws IllegalArgumentException if the value has no lossless encoding; the write is refused
   *     and changes nothing
   */
  byte[] encode(T value);

  /**
   * Decodes a value. The codec may keep the array.
   *
   * @throws IllegalArgumentException if the bytes are not an encoding of this codec
   */
  T decode(byte[] bytes);

  /**
   * Identifies the encoding. A log stores the name with its files. Opening it with a codec of
   * another name fails ({@link LogException.WrongCodec}), because the codec would read garbage. The
   * default is the name of this codec's class. It is empty if that name can change by itself, as
   * for an anonymous class. An empty name disables the check: such a codec is never refused, and
   * neither are others on files that it wrote.
   *
   * <p>Override it if one class encodes in several ways, or if a codec reads what another one has
   * written. Also override it before you rename a class. At most 1,000 bytes of UTF-8.
   */
  default String name() {
    Class<?> type = getClass();
    boolean mayChange =
        type.isAnonymousClass()
            || type.isHidden()
            || type.isSynthetic()
            || Proxy.isProxyClass(type);
    return mayChange ? "" : type.getName();
  }

  /** Encodes strings as UTF-8. A string with an unpaired surrogate has no UTF-8 and is refused. */
  static Codec<String> utf8() {
    return Codecs.UTF_8;
  }

  /**
   * Stores byte arrays unchanged, for values. An array has no {@code equals} by content, so it
   * cannot be a key. Arrays are not copied: do not change an array after putting or getting it.
   */
  static Codec<byte[]> bytes() {
    return Codecs.BYTES;
  }

  /** Encodes ints in 4 bytes, little-endian. */
  static Codec<Integer> int32() {
    return Codecs.INT32;
  }

  /** Encodes longs in 8 bytes, little-endian. */
  static Codec<Long> int64() {
    return Codecs.INT64;
  }

  /** Encodes doubles in 8 bytes, little-endian, as IEEE 754 has them. All NaN are the same one. */
  static Codec<Double> float64() {
    return Codecs.FLOAT64;
  }

  /** Encodes booleans in 1 byte. */
  static Codec<Boolean> bool() {
    return Codecs.BOOL;
  }

  /** Encodes UUIDs in 16 bytes, in the order in which they are written. */
  static Codec<UUID> uuid() {
    return Codecs.UUID_CODEC;
  }

  /** Encodes instants in 12 bytes: seconds since 1970-01-01T00:00Z and nanoseconds. */
  static Codec<Instant> instant() {
    return Codecs.INSTANT;
  }

  /** Encodes the constants of an enum by their names. A constant that is gone cannot be decoded. */
  static <E extends Enum<E>> Codec<E> enumeration(Class<E> type) {
    return new Codecs.EnumCodec<>(type);
  }

  /**
   * Encodes strings in a charset. A string that the charset cannot represent is refused. For UTF-8,
   * {@link #utf8()} is faster.
   *
   * @throws IllegalArgumentException if the charset cannot encode
   */
  static Codec<String> string(Charset charset) {
    return new StringCodec(charset);
  }

  /** Encodes lists of elements that another codec encodes, with 4 more bytes for each. */
  static <T> Codec<List<T>> list(Codec<T> elements) {
    return new Codecs.ListCodec<>(elements);
  }

  /** Encodes values that another codec encodes, or none, with 1 more byte. */
  static <T> Codec<Optional<T>> optional(Codec<T> values) {
    return new Codecs.OptionalCodec<>(values);
  }

  /**
   * Encodes records by their components, in the order of their declaration. A component is an int,
   * long, double, boolean, {@link String} (as UTF-8), byte array, {@link UUID}, {@link Instant},
   * enum or another record, or a {@link List} or {@link Optional} of these. It must not be null.
   *
   * <p>A record can evolve: components can be added at its end, and their types stay. The encoding
   * begins with the number of components. Values written before a component was added get its
   * default. Values with more components than this record has are refused.
   *
   * <pre>{@code
   * record User(String name, int age, Optional<String> mail) {} // mail was added later
   *
   * Codec<User> codec = Codec.record(User.class, Optional.empty());
   * }</pre>
   *
   * @param type must be public, or in a package that its module opens to this one
   * @param defaults of the last components, for values without them
   * @throws IllegalArgumentException if a component has another type, if a default does not match
   *     its component, or if the record is not accessible
   */
  static <R extends Record> Codec<R> record(Class<R> type, Object... defaults) {
    return new RecordCodec<>(type, defaults);
  }

  /**
   * Encodes values by Java's serialization, for values that have no other encoding. Not for keys:
   * equal objects may be encoded differently. The files of a log are as trusted as the code that
   * reads them, unless the filter refuses what it does not know.
   *
   * @param filter decides which classes may be decoded, and how large: without limits such as
   *     {@code maxarray}, a few damaged bytes can take all memory
   */
  static <T extends Serializable> Codec<T> serializable(Class<T> type, ObjectInputFilter filter) {
    return new SerializationCodec<>(type, filter);
  }
}
