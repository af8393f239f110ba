package io.pensieve.log.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds the salt of a file with a damaged header. Without the salt no frame can be verified. */
final class SaltSearch {
  // Files of one session share their salt. Where that does not help: a checksum is linear, and the
  // salt goes into it last. So the salt's 64 bits add 32 bits that are the same in all frames of a
  // file. One frame yields them. A second frame that then verifies confirms them.

  private static final int WINDOW_BYTES = 1 << 20;

  private SaltSearch() {}

  /**
   * Answers a reader that finds frames in these bytes, or null if there are none.
   *
   * @param page the damaged header
   * @param salts the salts of other files
   */
  static @Nullable FrameReader reader(
      FrameReader.Source source,
      long bytes,
      long firstPosition,
      byte[] page,
      Collection<Long> salts)
      throws IOException {
    Set<Long> candidates = new LinkedHashSet<>();
    if (page.length == FileHeader.BYTES) {
      candidates.add(FileHeader.salt(page));
    }
    candidates.addAll(salts);
    for (long salt : candidates) {
      FrameReader reader = new FrameReader(source, bytes, firstPosition, salt);
      if (reader.seekFrame()) {
        reader.seek(firstPosition);
        return reader;
      }
    }
    return derived(source, bytes, firstPosition);
  }

  private static @Nullable FrameReader derived(
      FrameReader.Source source, long bytes, long firstPosition) throws IOException {
    byte[] window = new byte[(int) Math.min(bytes, WINDOW_BYTES)];
    // Windows overlap by half, so that a frame shorter than half a window is whole in one of them.
    for (long at = 0; at < bytes; at += WINDOW_BYTES / 2) {
      int length = (int) Math.min(window.length, bytes - at);
      source.read(ByteBuffer.wrap(window, 0, length), at);
      for (int frame = 0;
          length - frame >= Format.FRAME_HEADER_BYTES;
          frame += Format.FRAME_ALIGNMENT) {
        long position = firstPosition + at + frame;
        if (Format.position(window, frame) == position
            && Format.lengthIsPossible(Format.length(window, frame), length - frame)) {
          long salt = saltOf(window, frame);
          FrameReader reader = new FrameReader(source, bytes, firstPosition, salt);
          if (hasTwoFrames(reader, position)) {
            reader.seek(firstPosition);
            return reader;
          }
        }
      }
    }
    return null;
  }

  private static boolean hasTwoFrames(FrameReader reader, long position) throws IOException {
    reader.seek(position);
    int frames = 0;
    while (frames < 2 && reader.next()) {
      frames++;
    }
    return frames == 2;
  }

  /** Answers a salt that makes this frame's checksum right. The frame's length must be possible. */
  private static long saltOf(byte[] bytes, int frame) {
    int length = Format.length(bytes, frame);
    int unsalted = new Format.Checksum(0).of(bytes, frame, length);
    // Elimination over GF(2): the salt's upper half alone can produce any checksum.
    int[] reduced = new int[Integer.SIZE]; // by highest bit
    long[] madeBy = new long[Integer.SIZE]; // the salt bits that produce it
    for (int bit = Integer.SIZE; bit < Long.SIZE; bit++) {
      long salt = 1L << bit;
      int change = new Format.Checksum(salt).of(bytes, frame, length) ^ unsalted;
      while (change != 0 && reduced[highest(change)] != 0) {
        salt ^= madeBy[highest(change)];
        change ^= reduced[highest(change)];
      }
      if (change != 0) {
        madeBy[highest(change)] = salt;
        reduced[highest(change)] = change;
      }
    }
    long salt = 0;
    int wanted = Format.checksum(bytes, frame) ^ unsalted;
    while (wanted != 0 && reduced[highest(wanted)] != 0) {
      salt ^= madeBy[highest(wanted)];
      wanted ^= reduced[highest(wanted)];
    }
    return salt;
  }

  private static int highest(int bits) {
    return Integer.SIZE - 1 - Integer.numberOfLeadingZeros(bits);
  }
}
