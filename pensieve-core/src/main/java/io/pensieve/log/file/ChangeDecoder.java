package io.pensieve.log.file;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import io.pensieve.log.ReplayHandler;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Decodes frames and tells them to whoever replays. For as many threads as that one takes. */
final class ChangeDecoder<K, V> {
  private final Codec<K> keyCodec;
  private final Codec<V> valueCodec;
  private final ReplayHandler.Unordered<K, V> receiver;

  ChangeDecoder(Codec<K> keyCodec, Codec<V> valueCodec, ReplayHandler.Unordered<K, V> receiver) {
    this.keyCodec = keyCodec;
    this.valueCodec = valueCodec;
    this.receiver = receiver;
  }

  /** Tells the frame of a segment that was read last, and answers how many changes it is. */
  int deliver(FrameReader reader, long position, long number, FrameFile segment)
      throws IOException {
    return deliver(reader, number, segment.path(), segment.offset(position));
  }

  /**
   * Tells the frame that was read last, which begins at this offset of a file.
   *
   * @param number which one of the history its first change is
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

  /** Tells the entry that was read last. */
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

  /** Refuses what a checksum cannot know of. */
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

  // Whatever a codec throws, where it happened is what whoever opens the log must be told. An entry
  // without a key or a value would be neither there nor gone, so a null is no answer.
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
