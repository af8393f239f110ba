package io.pensieve.log;

import java.nio.file.Path;

/** Decodes frames and tells them to whoever replays. */
final class Teller<K, V> {
  private static final long PROGRESS_BYTES = 1 << 20;

  private final Codec<K> keyCodec;
  private final Codec<V> valueCodec;
  private final Replay<K, V> replay;
  private final long bytesTotal;
  private long changes;
  private long bytes;
  private long bytesReported;

  Teller(Codec<K> keyCodec, Codec<V> valueCodec, Replay<K, V> replay, long bytesTotal) {
    this.keyCodec = keyCodec;
    this.valueCodec = valueCodec;
    this.replay = replay;
    this.bytesTotal = bytesTotal;
  }

  long changes() {
    return changes;
  }

  long bytes() {
    return bytes;
  }

  /** Tells the frame that was read last, which begins at this position and offset of a file. */
  void tell(FrameReader reader, long position, Path file, long offset) {
    expectUnderstood(reader, Format.PUT, Format.CLOSE, file, offset);
    byte kind = reader.kind();
    if (kind != Format.PADDING && kind != Format.CLOSE) {
      replay.change(reader.position(), decode(reader, kind, file, offset));
      changes++;
    }
    told(reader.position() - position);
  }

  /** Tells the entry of a base that was read last. */
  void tellEntry(FrameReader reader, long position, long stamp, Path file, long offset) {
    try {
      replay.entry(put(keyCodec.decode(reader.key()), reader), reader.version(), stamp);
    } catch (IllegalArgumentException notOfThisCodec) {
      throw ofAnotherCodec(notOfThisCodec, file, offset);
    }
    changes++;
    told(reader.position() - position);
  }

  /** Refuses what a checksum cannot know of. */
  static void expectUnderstood(
      FrameReader reader, byte firstKind, byte lastKind, Path file, long offset) {
    if (!reader.isUnderstood(firstKind, lastKind)) {
      throw new LogException.Corrupt(file, offset, "a frame of version 1", "kind " + reader.kind());
    }
  }

  private void told(long frameBytes) {
    bytes += frameBytes;
    if (bytes - bytesReported >= PROGRESS_BYTES) {
      bytesReported = bytes;
      replay.progress(bytes, bytesTotal);
    }
  }

  private Change<K, V> decode(FrameReader reader, byte kind, Path file, long offset) {
    try {
      K key = keyCodec.decode(reader.key());
      return switch (kind) {
        case Format.PUT -> put(key, reader);
        case Format.REMOVE -> new Change.Remove<>(key);
        default -> new Change.Touch<>(key);
      };
    } catch (IllegalArgumentException notOfThisCodec) {
      throw ofAnotherCodec(notOfThisCodec, file, offset);
    }
  }

  private Change.Put<K, V> put(K key, FrameReader reader) {
    return new Change.Put<>(key, valueCodec.decode(reader.value()), reader.expiryMillis());
  }

  private static LogException.Corrupt ofAnotherCodec(
      IllegalArgumentException refused, Path file, long offset) {
    return new LogException.Corrupt(
        file,
        offset,
        "a key and a value of this log's codecs",
        String.valueOf(refused.getMessage()));
  }
}
