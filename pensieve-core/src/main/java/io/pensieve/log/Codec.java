package io.pensieve.log;

import java.lang.reflect.Proxy;

/**
 * Encodes keys or values as bytes and decodes them. Must be lossless: {@code
 * decode(encode(x)).equals(x)}. For keys, {@code encode(x)} must equal {@code encode(y)} exactly
 * when {@code x.equals(y)}.
 *
 * <p>Many threads call a codec at once, so implementations are stateless or thread-safe. A codec is
 * called while the entry's key is locked and must not call the map.
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

  /** Encodes longs in 8 bytes, little-endian. */
  static Codec<Long> int64() {
    return Codecs.INT64;
  }
}
