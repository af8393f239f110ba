package io.pensieve.log.file;

import java.io.IOException;
import java.nio.file.Path;

/** Begins the next segment: a part that may be repeated, and the folder's force, which may not. */
final class SegmentRoller {
  // Until the new file has its name it is nobody's: whatever goes wrong, it is deleted, and the
  // next attempt begins with another one. From then on only the folder is to be forced; what is
  // done to the old segment after that is a matter of room, not of safety.

  private static final int TRIMMED_SHARE = 16;

  private final LogDirectory directory;
  private final SegmentPreallocator preallocator;
  private final long salt;
  private final FileLog.Settings settings;

  SegmentRoller(
      LogDirectory directory,
      SegmentPreallocator preallocator,
      long salt,
      FileLog.Settings settings) {
    this.directory = directory;
    this.preallocator = preallocator;
    this.salt = salt;
    this.settings = settings;
  }

  /** The next segment, under its name. The folder is then to be forced. May be repeated. */
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
          Format.FileHeader.segment(position, position, salt),
          settings.segmentBytes());
    } catch (IOException | RuntimeException | Error refused) {
      SegmentPreallocator.discard(directory.disk(), file, temporary);
      throw refused;
    }
  }

  /**
   * Lets go of a segment that ends here, all of which is forced and that has a successor.
   *
   * @param isAllocated it may have zeros behind its end
   */
  void end(Segment old, long position, boolean isAllocated) {
    try { // not with resources: see SegmentPreallocator.discard
      try {
        // Where frames are large, much of what was allocated may be left over.
        if (isAllocated && old.remainingBytes(position) > settings.segmentBytes() / TRIMMED_SHARE) {
          old.trim(position);
        }
      } finally {
        old.close();
      }
    } catch (IOException onlyRoomIsLost) {
      // Its successor says where it ends, and what is written was forced before.
    }
  }
}
