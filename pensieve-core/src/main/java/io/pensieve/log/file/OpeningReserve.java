package io.pensieve.log.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * Space that a log reserves in a file for its next opening. An opening needs a page for a segment's
 * header, and by then the disk may be full.
 */
final class OpeningReserve {
  // The file is temporary: the next opening deletes all temporary files before it creates anything.
  // It is never forced, since it need not survive a power cut whole.

  // After an unclean end an opening creates a second file, with the frames not known to be forced.
  private static final int PAGES = 3 * FileHeader.BYTES;
  private static final int RING_SHARE = 128; // with a ring of 8 MiB that makes 76 KiB in all

  private OpeningReserve() {}

  /** Reserves as much as the disk has space for, or nothing. */
  static void take(LogDirectory directory, int ringBytes) {
    int bytes = PAGES + ringBytes / RING_SHARE;
    while (bytes >= FileHeader.BYTES && !isTaken(directory, bytes)) {
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
          Segment.discard(disk, file, temporary);
        }
      }
      return true;
    } catch (IOException noRoom) {
      return false;
    }
  }
}
