package io.pensieve.log.file;

/**
 * How long a log and its base are, and how long they may get.
 *
 * @param baseBytes the entries, as the last base had them
 * @param lengthBefore the length of what precedes {@code countedFrom}
 * @param countedFrom from this position on everything counts
 * @param filesBefore how many segments what precedes is in
 */
record LogSize(long baseBytes, long lengthBefore, long countedFrom, int filesBefore) {
  // Each life of the log that wrote something leaves a segment, be it ever so short.
  private static final int FILES_MAX = 64;
  private static final int FILE_BYTES = 8 << 20; // of those that were full, about

  /** How long the log is that ends at this position. */
  long logBytes(long end) {
    return lengthBefore + end - countedFrom;
  }

  private long positionAt(long logBytes) {
    return countedFrom + logBytes - lengthBefore;
  }

  /** It is to be compacted when it ends here. */
  boolean isDue(long end, Compactor.Settings settings) {
    return logBytes(end) >= settings.dueBytes(baseBytes) || hasTooManyFiles(settings);
  }

  /** It is in far more files than its length accounts for. */
  boolean hasTooManyFiles(Compactor.Settings settings) {
    return filesBefore >= FILES_MAX + settings.dueBytes(baseBytes) / FILE_BYTES;
  }

  /** So much may be appended while it is being compacted. */
  private long allowanceMeanwhile(Compactor.Settings settings) {
    return settings.bytesMax(baseBytes) - settings.dueBytes(baseBytes);
  }

  /** Beyond this position writers have to wait if no compaction has begun yet. */
  long freeUntilBegun(Compactor.Settings settings) {
    return positionAt(settings.dueBytes(baseBytes)) + allowanceMeanwhile(settings) / 4;
  }

  /**
   * Beyond this position writers have to wait when so much of the next base is written. Half of the
   * room is theirs at once, since the entries have to be sorted first; the rest as the base grows.
   *
   * @param position where the log ended when the compaction began
   */
  long freeUntil(long position, long written, Compactor.Settings settings) {
    // How long the next base will be is not known: the last one's length has to do.
    double share = baseBytes <= written ? 1 : (double) written / baseBytes;
    return position + (long) (allowanceMeanwhile(settings) * (1 + share) / 2);
  }

  /**
   * Of the next base a larger part is written than was used of the room for what is appended
   * meanwhile.
   *
   * @param position where the log ended when the compaction began
   */
  boolean isAhead(long position, long end, long written, Compactor.Settings settings) {
    double used = (double) (end - position) / allowanceMeanwhile(settings);
    return used * Math.max(baseBytes, written) <= written;
  }
}
