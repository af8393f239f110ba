package io.pensieve.log.file;

import java.io.IOException;
import java.nio.file.Path;

/** Begins the next segment. All but the folder's force, which the caller does, may be repeated. */
final class SegmentRoller {
  // Until the new file has its name it does not count: after any failure it is deleted, and the
  // next attempt takes another file. After that only the folder must be forced. Later work on the
  // old segment concerns space, not safety.

  private static final int TRIMMED_SHARE = 16;

  private final LogDirectory directory;
  private final SegmentPreallocator preallocator;
  private final long salt;
  private final LogSettings settings;

  SegmentRoller(
      LogDirectory directory, SegmentPreallocator preallocator, long salt, LogSettings settings) {
    this.directory = directory;
    this.preallocator = preallocator;
    this.salt = salt;
    this.settings = settings;
  }

  /**
   * Creates the next segment under its name. The caller must then force the folder. May be
   * repeated.
   */
  Segment begin(long position) throws IOException {
    Path temporary = preallocator.temporary();
    Disk.File file = preallocator.take();
    if (file == null) {
      temporary = directory.temporary(LogDirectory.NEXT);
      file = directory.disk().create(temporary);
    }
    try {
      return Segment.name(
          directory,
          file,
          temporary,
          FileHeader.segment(position, position, salt),
          settings.segmentBytes());
    } catch (IOException | RuntimeException | Error refused) {
      Segment.discard(directory.disk(), file, temporary);
      throw refused;
    }
  }

  /**
   * Closes a segment that ends here. All of it is forced, and it has a successor.
   *
   * @param isAllocated whether it may have zeros behind its end
   */
  void end(Segment old, long position, boolean isAllocated) {
    try { // not with resources: see Segment.discard
      try {
        // With large frames, much of the allocated space may be unused.
        if (isAllocated && old.remainingBytes(position) > settings.segmentBytes() / TRIMMED_SHARE) {
          old.trim(position);
        }
      } finally {
        old.close();
      }
    } catch (IOException onlyRoomIsLost) {
      // Its successor says where it ends, and all its frames are forced.
    }
  }
}
