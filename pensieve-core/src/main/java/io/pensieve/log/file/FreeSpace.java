package io.pensieve.log.file;

import java.io.IOException;
import java.nio.file.Path;

/** How much room a volume has left, and how much of it a log keeps free. */
final class FreeSpace {
  // Puts stop at the reserve, and removals, forces, compactions and the next opening go on: they
  // need room too, and make some in the end. A log takes it for what it last saw: the volume is
  // asked every so often, not for each put.

  /** On a volume of less than 16 times the reserve, that share of it is kept free. */
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

  /** Asks the volume. */
  void refresh() throws IOException {
    long total = disk.totalBytes(folder);
    reserve = total <= 0 ? reserveMax : Math.min(reserveMax, total / VOLUME_SHARE);
    free = disk.usableBytes(folder);
  }

  /** What was free when the volume was last asked. */
  long freeBytes() {
    return free;
  }

  /** What is kept free. */
  long reserveBytes() {
    return reserve;
  }

  /** Only the reserve is left, or less. */
  boolean isShort() {
    return free < reserve;
  }

  /** In words, for whoever is refused. */
  String shortage() {
    return folder
        + ": free space of "
        + describe(free)
        + " is below the reserve of "
        + describe(reserve)
        + "; only removals are taken until there is more room";
  }

  /** In words, why nothing is written although there seems to be room. */
  String refusal(Throwable refused) {
    return folder + ": cannot be written to now, and is tried again: " + refused;
  }

  private static String describe(long bytes) {
    return bytes < MIB ? bytes + " bytes" : bytes / MIB + " MiB";
  }
}
