package io.pensieve.log.file;

import io.pensieve.log.Durability;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Executor;

/**
 * Begins the next segment, keeps a file ready for it, and frees what the last one does not need.
 * All but the folder's force, which the caller does, may be repeated.
 */
final class SegmentRoller {
  // Until the new file has its name it does not count: after any failure it is deleted, and the
  // next attempt takes another file. After that only the folder must be forced. Later work on the
  // old segment concerns space, not safety.

  private static final int TRIMMED_SHARE = 16;

  private final LogDirectory directory;
  private final SegmentPreallocator preallocator;
  private final long salt;
  private final long segmentBytes;
  private final boolean isAllocated; // segments are zeroed ahead, so that forces are fast

  SegmentRoller(LogDirectory directory, long salt, LogSettings settings, Executor background) {
    this.directory = directory;
    this.salt = salt;
    this.segmentBytes = settings.segmentBytes();
    this.isAllocated = settings.durability() == Durability.POWER_CUT;
    this.preallocator =
        new SegmentPreallocator(
            directory, isAllocated ? FileHeader.BYTES + segmentBytes : 0, background);
  }

  /** Starts the next segment file, opened and perhaps zeroed, if this policy allows its space. */
  void prepareNext(WriteRetryPolicy policy) {
    if (policy.allowsPreallocation(preallocator.bytes())) {
      preallocator.prepare();
    }
  }

  /** Gives up the prepared file if it takes space. */
  void releaseSpace() {
    preallocator.releaseSpace();
  }

  /** Stops preparing files, and deletes an unused one. For an uninterruptible thread. */
  void stop() {
    preallocator.stop();
  }

  /**
   * Whether a frame of this length needs a new segment. A frame longer than a segment has its own.
   */
  static boolean isDue(Segment segment, long position, int frameBytes) {
    return segment.remainingBytes(position) < frameBytes && !segment.isEmpty(position);
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
          directory, file, temporary, FileHeader.segment(position, position, salt), segmentBytes);
    } catch (IOException | RuntimeException | Error refused) {
      Segment.discard(directory.disk(), file, temporary);
      throw refused;
    }
  }

  /** Closes a segment that ends here. All of it is forced, and it has a successor. */
  void end(Segment old, long position) {
    try { // not with resources: see Segment.discard
      try {
        // With large frames, much of the allocated space may be unused.
        if (isAllocated && old.remainingBytes(position) > segmentBytes / TRIMMED_SHARE) {
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
