package io.pensieve.log;

import java.lang.reflect.Proxy;

/**
 * Turns keys or values into bytes and back. Must be lossless: {@code decode(encode(x)).equals(x)};
 * for keys also {@code encode(x)} equals {@code encode(y)} exactly when {@code x.equals(y)}.
 *
 * <p>Called by many threads at once, so implementations are stateless or thread-safe. A codec is
 * called while the entry's key is locked and must not call the map.
 *
 * @param <T> what is encoded
 */
public interface Codec<T> {

  /**
   * The bytes of a value, in an array that the caller may keep but not change.
   *
   * @throws IllegalArgumentException if the value has no lossless encoding; the write is refused
   *     and changes nothing
   */
  byte[] encode(T value);

  /**
   * The value that these bytes encode. The array is the codec's to keep.
   *
   * @throws IllegalArgumentException if the bytes are no encoding of this codec
   */
  T decode(byte[] bytes);

  /**
   * What the bytes mean, in a word: a log keeps the name with its files, and refuses to be opened
   * with a codec of another name ({@link LogException.WrongCodec}), since it would read garbage. By
   * default the name of this codec's class, or none if that can change by itself, as that of an
   * anonymous class. A codec without a name, an empty one, is never refused, nor are others where
   * it has written.
   *
   * <p>Override it where one class encodes in several ways, before you rename a class, or if a
   * codec reads what others have written. At most 1,000 bytes of UTF-8.
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

  /** Strings as UTF-8. A string with an unpaired surrogate has no UTF-8 and is refused. */
  static Codec<String> utf8() {
    return Codecs.UTF_8;
  }

  /**
   * Byte arrays as they are, for values. An array has no {@code equals} by content, so it cannot be
   * a key. Arrays are not copied: do not change one that was put or got.
   */
  static Codec<byte[]> bytes() {
    return Codecs.BYTES;
  }

  /** Longs in 8 bytes, little-endian. */
  static Codec<Long> int64() {
    return Codecs.INT64;
  }
}
