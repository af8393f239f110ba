package io.pensieve.log.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The end of a history, as far as it was in the ring only. It stays there until it is copied.
 *
 * @param from where it begins: where the newest segment ends
 * @param end where the history ends
 * @param holes room that was claimed by writers who died before they committed, in order
 */
record RingTail(long from, long end, List<Hole> holes) {
  static final int COPY_BYTES = 256 << 10; // and of padding, no frame is longer

  /** Room without a frame, at least as much as one needs. */
  record Hole(long from, long end) {}

  /** Nothing was in the ring only. */
  static RingTail none(long position) {
    return new RingTail(position, position, List.of());
  }

  boolean isEmpty() {
    return from == end;
  }

  /** Copies what lies behind a position to a place in a file; holes become padding. */
  void copy(LogDirectory directory, long after, Disk.File to, long offset) throws IOException {
    if (after >= end) {
      return;
    }
    try (RingImage ring = RingImage.open(directory)) {
      long at = after;
      for (Hole hole : holes) {
        if (hole.from() >= after) {
          copyFrames(ring, at, hole.from(), to, offset + at - after);
          pad(ring, hole, to, offset + hole.from() - after);
          at = hole.end();
        }
      }
      copyFrames(ring, at, end, to, offset + at - after);
    }
  }

  private static void copyFrames(RingImage ring, long from, long until, Disk.File to, long offset)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(COPY_BYTES, until - from));
    for (long at = from; at < until; at += buffer.limit()) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), until - at));
      ring.read(buffer, at);
      to.write(buffer.flip(), offset + at - from);
    }
  }

  // In pieces, each of which, the last one included, has room for a frame.
  private static void pad(RingImage ring, Hole hole, Disk.File to, long offset) throws IOException {
    // Says of nothing more that it was forced than what is known: nothing behind the ring's start.
    long durable = Math.min(ring.header().firstPosition(), hole.from());
    long salt = ring.header().salt();
    for (long at = hole.from(); at < hole.end(); ) {
      long left = hole.end() - at;
      int bytes =
          (int)
              (left <= COPY_BYTES ? left : Math.min(COPY_BYTES, left - Format.FRAME_HEADER_BYTES));
      byte[] padding = Format.bareFrame(Format.PADDING, bytes, at, durable, salt);
      to.write(ByteBuffer.wrap(padding), offset + at - hole.from());
      at += bytes;
    }
  }
}
