package io.pensieve.log.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The end of a history that only the ring holds. It stays there until it is copied.
 *
 * @param from where it begins: where the newest segment ends
 * @param end where the history ends
 * @param holes space claimed by writers that died before their commit, in order
 */
record UnforcedFrames(long from, long end, List<Hole> holes) {
  static final int COPY_BYTES = 256 << 10; // and no padding frame is longer

  /** Space without a frame, at least as long as the shortest frame. */
  record Hole(long from, long end) {}

  /** The tail of a history that has nothing only in the ring. */
  static UnforcedFrames none(long position) {
    return new UnforcedFrames(position, position, List.of());
  }

  boolean isEmpty() {
    return from == end;
  }

  /** Copies the tail behind a position to an offset of a file. Holes become padding. */
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

  // Pads in pieces. Each piece, the last one included, is long enough for a frame.
  private static void pad(RingImage ring, Hole hole, Disk.File to, long offset) throws IOException {
    // The padding calls forced only what is known to be: nothing behind the ring's start.
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
