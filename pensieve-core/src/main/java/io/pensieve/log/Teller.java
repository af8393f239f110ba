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
    if (!reader.isUnderstood()) {
      throw new LogException.Corrupt(file, offset, "a frame of version 1", "kind " + reader.kind());
    }
    byte kind = reader.kind();
    if (kind != Format.PADDING && kind != Format.CLOSE) {
      replay.change(reader.position(), decode(reader, kind, file, offset));
      changes++;
    }
    bytes += reader.position() - position;
    if (bytes - bytesReported >= PROGRESS_BYTES) {
      bytesReported = bytes;
      replay.progress(bytes, bytesTotal);
    }
  }

  private Change<K, V> decode(FrameReader reader, byte kind, Path file, long offset) {
    try {
      K key = keyCodec.decode(reader.key());
      return switch (kind) {
        case Format.PUT -> new Change.Put<>(key, valueCodec.decode(reader.value()));
        case Format.REMOVE -> new Change.Remove<>(key);
        default -> new Change.Touch<>(key);
      };
    } catch (IllegalArgumentException notOfThisCodec) {
      throw new LogException.Corrupt(
          file,
          offset,
          "a key and a value of this log's codecs",
          String.valueOf(notOfThisCodec.getMessage()));
    }
  }
}
