package io.pensieve.log.file;

import io.pensieve.log.LogException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The frames found in a ring that may be damaged anywhere. */
final class SalvageRing {
  // Each frame names its position under a checksum. So the whole ring is searched for frames. Of
  // its header only the salt is needed, which other files may share.

  private static final int BYTES_MAX = 1 << 28; // twice the bytes of a ring for the longest frames

  private final Path path;
  private final byte[] twice; // the ring's bytes twice, so that no frame wraps
  private final int capacity;
  private final List<Frame> frames = new ArrayList<>();
  private final boolean isKnown; // every byte stored in the ring is there
  private final @Nullable String headerDamage;
  private final int missingBytes;
  private long written; // from the header; 0 if it does not say
  private long acknowledged;

  /** A frame of the ring, with its alignment bytes. */
  record Frame(long position, int index, int bytes) {
    long end() {
      return position + bytes;
    }
  }

  private SalvageRing(
      Path path, byte[] bytes, int capacity, boolean isKnown, @Nullable String damage) {
    this.path = path;
    this.capacity = capacity;
    this.twice = new byte[2 * capacity];
    this.isKnown = isKnown;
    this.headerDamage = damage;
    this.missingBytes = capacity - bytes.length;
    System.arraycopy(bytes, 0, twice, 0, bytes.length);
    System.arraycopy(bytes, 0, twice, capacity, bytes.length);
  }

  /** The salt in the ring's header, damaged or not; null if there is no header. */
  static @Nullable Long salt(LogDirectory directory) throws IOException {
    try (Disk.File file = directory.disk().open(directory.ring())) {
      byte[] page = SalvageFile.page(file);
      return page.length == FileHeader.BYTES ? FileHeader.salt(page) : null;
    }
  }

  /**
   * Reads a ring.
   *
   * @param salts the salts that its frames may have
   * @param newest the newest segment's salt, or null; a ring with another salt was emptied
   */
  static SalvageRing read(LogDirectory directory, Collection<Long> salts, @Nullable Long newest)
      throws IOException {
    try (Disk.File file = directory.disk().open(directory.ring())) {
      byte[] page = SalvageFile.page(file);
      int there =
          (int) Math.min(BYTES_MAX, Math.max(0, file.size() - FileHeader.BYTES) & -Long.BYTES);
      byte[] bytes = new byte[there];
      SalvageFile.readOrZeros(file, ByteBuffer.wrap(bytes), FileHeader.BYTES);
      SalvageRing remains = of(directory, page, bytes, newest);
      for (long salt : salts) {
        remains.search(new Format.Checksum(salt));
      }
      remains.frames.sort(Comparator.comparingLong(Frame::position));
      return remains;
    }
  }

  private static SalvageRing of(
      LogDirectory directory, byte[] page, byte[] bytes, @Nullable Long newest) {
    int capacity = Math.max(Format.FRAME_HEADER_BYTES, Integer.highestOneBit(2 * bytes.length - 1));
    try {
      FileHeader header = FileHeader.decode(page, directory.ring(), FileHeader.RING);
      if (Long.bitCount(header.capacity()) == 1 && header.capacity() <= BYTES_MAX) {
        capacity = Math.max(capacity, (int) header.capacity());
      }
      boolean isKnown =
          header.boot() == directory.disk().boot()
              && header.capacity() == bytes.length
              && newest != null
              && newest == header.salt();
      SalvageRing ring = new SalvageRing(directory.ring(), bytes, capacity, isKnown, null);
      ring.written = FileHeader.ringWritten(page);
      ring.acknowledged =
          header.appendedIsAcknowledged() && isKnown && header.boot() != 0
              ? Math.max(ring.written, FileHeader.ringForced(page))
              : FileHeader.ringForced(page);
      return ring;
    } catch (LogException.Corrupt damaged) {
      return new SalvageRing(
          directory.ring(), bytes, capacity, false, String.valueOf(damaged.getMessage()));
    }
  }

  private void search(Format.Checksum checksum) {
    for (int at = 0; at < capacity; at += Format.FRAME_ALIGNMENT) {
      long position = Format.position(twice, at);
      if (position >= 0
          && index(position) == at
          && Format.isFrame(twice, at, capacity, position, checksum)) {
        frames.add(new Frame(position, at, Format.align(Format.length(twice, at))));
      }
    }
  }

  private int index(long position) {
    return (int) (position & (capacity - 1));
  }

  Path path() {
    return path;
  }

  /** All frames, sorted by position. */
  List<Frame> frames() {
    return frames;
  }

  byte[] bytes(Frame frame) {
    return Arrays.copyOfRange(twice, frame.index, frame.index + frame.bytes);
  }

  boolean isUnderstood(Frame frame) {
    return Format.isUnderstood(twice, frame.index, Format.OF_SEGMENT);
  }

  byte kind(Frame frame) {
    return Format.kind(twice, frame.index);
  }

  long durable(Frame frame) {
    return Format.durable(twice, frame.index);
  }

  @Nullable String headerDamage() {
    return headerDamage;
  }

  /** The position up to which the log was acknowledged, at least, by the header. */
  long acknowledged() {
    return acknowledged;
  }

  /** The number of bytes missing from the file. */
  int missingBytes() {
    return missingBytes;
  }

  long offset(long position) {
    return (long) FileHeader.BYTES + index(position);
  }

  /**
   * Whether a writer claimed space at this position and died before its commit. Then nothing was
   * lost.
   */
  boolean isHole(long position) {
    return isKnown && written <= position && Format.wordAt(twice, index(position)) == 0;
  }

  /** Whether a frame was committed at this position, by a process that died in this boot. */
  boolean isDamagedAt(long position) {
    // In a full ring, the bytes at this position are the oldest frame's.
    boolean isFull = !frames.isEmpty() && position - frames.get(0).position >= capacity;
    return isKnown && !isFull && Format.wordAt(twice, index(position)) != 0;
  }
}
