package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import io.pensieve.log.ReplayHandler;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Decodes frames and delivers them to a handler. As thread-safe as that handler. */
final class ChangeDecoder<K, V> {
  private final Codec<K> keyCodec;
  private final Codec<V> valueCodec;
  private final ReplayHandler.Unordered<K, V> receiver;

  ChangeDecoder(Codec<K> keyCodec, Codec<V> valueCodec, ReplayHandler.Unordered<K, V> receiver) {
    this.keyCodec = keyCodec;
    this.valueCodec = valueCodec;
    this.receiver = receiver;
  }

  /**
   * Delivers the frame read last, which begins at this offset of a file. Answers how many changes
   * it has.
   *
   * @param number the number of its first change in the history
   */
  int deliver(FrameReader reader, long number, Path file, long offset) throws IOException {
    checkUnderstood(reader, Format.OF_SEGMENT, file, offset);
    if (reader.kind() == Format.PADDING || reader.kind() == Format.CLOSE) {
      return 0;
    }
    int told = 0;
    while (reader.nextChange()) {
      Change<K, V> change = decode(reader, reader.changeKind(), file, offset);
      receiver.change(reader.sequence(), number + told, change);
      told++;
    }
    return told;
  }

  /** Delivers the entry read last. */
  int deliverEntry(FrameReader reader, long position, long number, FrameFile base)
      throws IOException {
    long offset = base.offset(position);
    checkUnderstood(reader, 1 << Format.ENTRY, base.path(), offset);
    long version = reader.version();
    if (version <= 0 || version > base.header().firstPosition()) {
      throw base.corrupt(
          position, "a version up to " + base.header().firstPosition(), String.valueOf(version));
    }
    receiver.entry(decodePut(reader, base.path(), offset), version, number);
    return 1;
  }

  /** Refuses a frame of unknown kind, flags or lengths, which a checksum cannot show. */
  static void checkUnderstood(FrameReader reader, int kinds, Path file, long offset) {
    if (!reader.isUnderstood(kinds)) {
      throw new LogException.Corrupt(file, offset, "a frame of version 1", "kind " + reader.kind());
    }
  }

  private Change<K, V> decode(FrameReader reader, byte kind, Path file, long offset)
      throws IOException {
    if (kind == Format.PUT) {
      return decodePut(reader, file, offset);
    }
    K key = decode(keyCodec, reader.key(), file, offset);
    return kind == Format.REMOVE ? new Change.Remove<>(key) : new Change.Touch<>(key);
  }

  private Change.Put<K, V> decodePut(FrameReader reader, Path file, long offset)
      throws IOException {
    K key = decode(keyCodec, reader.key(), file, offset);
    V value = decode(valueCodec, reader.value(), file, offset);
    return new Change.Put<>(key, value, reader.expiryMillis());
  }

  // Whatever a codec throws, the error must name the place in the file. An entry without a key or a
  // value would be neither present nor absent, so null is refused, too.
  private static <T> T decode(Codec<T> codec, byte[] bytes, Path file, long offset) {
    T decoded;
    try {
      decoded = codec.decode(bytes);
    } catch (RuntimeException notOfThisCodec) {
      throw notOfCodec(file, offset, reason(notOfThisCodec), notOfThisCodec);
    }
    if (decoded == null) {
      throw notOfCodec(file, offset, "bytes that are decoded to null", null);
    }
    return decoded;
  }

  private static String reason(RuntimeException thrown) {
    String message = thrown.getMessage();
    return thrown instanceof IllegalArgumentException && message != null
        ? message
        : thrown.toString();
  }

  private static LogException.Corrupt notOfCodec(
      Path file, long offset, String found, @Nullable RuntimeException cause) {
    return new LogException.Corrupt(
        file, offset, "a key and a value of this log's codecs", found, cause);
  }
}
