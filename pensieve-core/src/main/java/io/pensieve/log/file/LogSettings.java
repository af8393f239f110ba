package io.pensieve.log.file;

import io.pensieve.log.Durability;

/** The settings that a log's builder collects. */
record LogSettings(
    SequenceOrigin origin,
    Durability durability,
    int ringBytes,
    int entryBytesMax,
    long segmentBytes,
    long lowWaterBytes,
    LogSettings.Compaction compaction,
    ReplayPipeline.Settings recovery) {

  /**
   * When and how a log compacts itself.
   *
   * @param logBytesMax the maximum length of a log with few entries, during compactions, too
   * @param batchBytes how many bytes are written at once
   * @param bytesPerSecond the rate of a compaction, unless the log grows too long meanwhile
   * @param heldBytesPerSecond the rate of writers that have made the log too long
   */
  record Compaction(
      long logBytesMax, int batchBytes, long bytesPerSecond, long heldBytesPerSecond) {

    /** The length at which the log is compacted, if the entries take so many bytes. */
    long dueBytes(long liveBytes) {
      return 2 * bytesMax(liveBytes) / 3;
    }

    /**
     * The maximum length of the log at the end of a compaction. With two bases beside it, the
     * folder holds twice the entries and logBytesMax, or nearly three times the entries if that is
     * more. If the log had to be shorter, each change would be written many times over.
     */
    long bytesMax(long liveBytes) {
      return Math.max(logBytesMax, liveBytes - 2 * logBytesMax / 3);
    }
  }
}
