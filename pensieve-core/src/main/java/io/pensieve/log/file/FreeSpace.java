package io.pensieve.log.file;

import java.io.IOException;
import java.nio.file.Path;

/** The free space of a volume, and the reserve that a log keeps of it. */
final class FreeSpace {
  // Puts stop at the reserve. Removals, forces, compactions and the next opening continue: they
  // need space, too, and free some in the end. Puts use the last value seen: the log asks the
  // volume at intervals, not for each put.

  /** On a volume of less than 16 times the reserve, this share of it is the reserve. */
  private static final int VOLUME_SHARE = 16;

  private static final long MIB = 1 << 20;

  private final Disk disk;
  private final Path folder;
  private final long reserveMax;
  private volatile long free = Long.MAX_VALUE;
  private volatile long reserve;

  FreeSpace(Disk disk, Path folder, long reserveMax) {
    this.disk = disk;
    this.folder = folder;
    this.reserveMax = reserveMax;
  }

  /** Asks the volume for its size and free space. */
  void refresh() throws IOException {
    long total = disk.totalBytes(folder);
    reserve = total <= 0 ? reserveMax : Math.min(reserveMax, total / VOLUME_SHARE);
    free = disk.usableBytes(folder);
  }

  /** The free bytes when the volume was last asked. */
  long freeBytes() {
    return free;
  }

  /** The bytes kept free. */
  long reserveBytes() {
    return reserve;
  }

  /** Whether less than the reserve is free. */
  boolean isShort() {
    return free < reserve;
  }

  /** Describes the shortage, for a refused caller. */
  String shortage() {
    return folder
        + ": free space of "
        + describe(free)
        + " is below the reserve of "
        + describe(reserve)
        + "; only removals are taken until there is more room";
  }

  /** Describes why nothing is written although there seems to be space. */
  String refusal(Throwable refused) {
    return folder + ": cannot be written to now, and is tried again: " + refused;
  }

  private static String describe(long bytes) {
    return bytes < MIB ? bytes + " bytes" : bytes / MIB + " MiB";
  }
}
