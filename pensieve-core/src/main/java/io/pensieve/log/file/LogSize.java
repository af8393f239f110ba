package io.pensieve.log.file;

/**
 * The lengths of a log and its base, and their limits.
 *
 * @param baseBytes the bytes of the entries in the last base
 * @param lengthBefore the length of the log before {@code countedFrom}
 * @param countedFrom the position from which every byte counts
 * @param filesBefore the number of segments before {@code countedFrom}
 */
record LogSize(long baseBytes, long lengthBefore, long countedFrom, int filesBefore) {
  // Each session that writes leaves a segment, however short.
  private static final int FILES_MAX = 64;
  private static final int FILE_BYTES = 8 << 20; // the approximate size of a full segment

  /** The length of the log if it ends at this position. */
  long logBytes(long end) {
    return lengthBefore + end - countedFrom;
  }

  private long positionAt(long logBytes) {
    return countedFrom + logBytes - lengthBefore;
  }

  /** Whether a compaction is due if the log ends here. */
  boolean isDue(long end, LogSettings.Compaction settings) {
    return logBytes(end) >= settings.dueBytes(baseBytes) || hasTooManyFiles(settings);
  }

  /** Whether the log has far more files than its length accounts for. */
  boolean hasTooManyFiles(LogSettings.Compaction settings) {
    return filesBefore >= FILES_MAX + settings.dueBytes(baseBytes) / FILE_BYTES;
  }

  /** The bytes that may be appended during a compaction. */
  private long allowanceMeanwhile(LogSettings.Compaction settings) {
    return settings.bytesMax(baseBytes) - settings.dueBytes(baseBytes);
  }

  /** The position beyond which writers wait if no compaction has begun yet. */
  long freeUntilBegun(LogSettings.Compaction settings) {
    return positionAt(settings.dueBytes(baseBytes)) + allowanceMeanwhile(settings) / 4;
  }

  /**
   * The position beyond which writers wait when so much of the next base is written. Writers get
   * half of the allowance at once, since the entries must be sorted first. They get the rest as the
   * base grows.
   *
   * @param position where the log ended when the compaction began
   */
  long freeUntil(long position, long written, LogSettings.Compaction settings) {
    // The next base's length is unknown, so use the last one's.
    double share = baseBytes <= written ? 1 : (double) written / baseBytes;
    return position + (long) (allowanceMeanwhile(settings) * (1 + share) / 2);
  }

  /**
   * Whether the written share of the next base is larger than the used share of the allowance.
   *
   * @param position where the log ended when the compaction began
   */
  boolean isAhead(long position, long end, long written, LogSettings.Compaction settings) {
    double used = (double) (end - position) / allowanceMeanwhile(settings);
    return used * Math.max(baseBytes, written) <= written;
  }
}
