package io.pensieve.log.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * Room that a log keeps in a file, for its next opening: that needs a page for the header of a
 * segment, and the disk may have no byte left by then.
 */
final class OpeningReserve {
  // A temporary file: the next opening deletes all of these before it makes anything. It is never
  // forced, for it need not survive a power cut whole.

  // After an unclean end a second file is made, with what is not known to be forced.
  private static final int PAGES = 3 * Format.FILE_HEADER_BYTES;
  private static final int RING_SHARE = 128; // with a ring of 8 MiB that makes 76 KiB in all

  private OpeningReserve() {}

  /** Takes as much as there is room for, or nothing. */
  static void take(LogDirectory directory, int ringBytes) {
    int bytes = PAGES + ringBytes / RING_SHARE;
    while (bytes >= Format.FILE_HEADER_BYTES && !isTaken(directory, bytes)) {
      bytes /= 2;
    }
  }

  private static boolean isTaken(LogDirectory directory, int bytes) {
    Disk disk = directory.disk();
    Path temporary = directory.temporary(LogDirectory.RESERVE);
    try {
      Disk.File file = disk.create(temporary);
      boolean taken = false;
      try {
        file.write(ByteBuffer.allocate(bytes), 0);
        taken = true;
      } finally {
        if (taken) {
          file.close();
        } else {
          SegmentPreallocator.discard(disk, file, temporary);
        }
      }
      return true;
    } catch (IOException noRoom) {
      return false;
    }
  }
}
