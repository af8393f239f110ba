package io.pensieve.log.file;

import io.pensieve.log.Durability;
import java.security.SecureRandom;
import java.time.InstantSource;

/** All settings of a log, as {@link Options} or a test derives them. */
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

  /**
   * The settings that a caller of {@link FileLog} may choose. Each is checked at once.
   *
   * @param entryBytesMax the maximum bytes of a key and its value together
   * @param logBytesMax as in {@link Compaction}
   */
  record Options(
      Durability durability,
      int entryBytesMax,
      long logBytesMax,
      long compactionBytesPerSecond,
      int recoveryThreads) {
    private static final int FRAME_OVERHEAD_BYTES = Format.FRAME_HEADER_BYTES + Format.EXPIRY_BYTES;
    private static final int ENTRY_BYTES_MAX = Format.FRAME_BYTES_MAX - FRAME_OVERHEAD_BYTES;
    private static final int RING_BYTES_MIN = 8 << 20;
    private static final long SEGMENT_BYTES = 16 << 20;
    // Up to three of these lie beside the counted log: one begins before it, one is being written,
    // one is being zeroed.
    private static final long ALLOCATED_SEGMENT_BYTES = 8 << 20;
    private static final long LOW_WATER_BYTES = 64 << 20;
    private static final long LOG_BYTES_MAX = 96 << 20;
    // Smaller ones are no use beside a ring of 8 MiB and segments of 16; larger ones no disk's.
    private static final long SMALLEST_LOG_BYTES_MAX = 32 << 20;
    private static final long LARGEST_LOG_BYTES_MAX = 1L << 50;
    private static final int COMPACTION_BATCH_BYTES = 256 << 10;
    private static final long COMPACTION_BYTES_PER_SECOND = 64 << 20;
    private static final long HELD_BYTES_PER_SECOND = 1 << 20;

    static final Options DEFAULT =
        new Options(
            Durability.PROCESS_DEATH,
            RING_BYTES_MIN / 2 - FRAME_OVERHEAD_BYTES,
            LOG_BYTES_MAX,
            COMPACTION_BYTES_PER_SECOND,
            Runtime.getRuntime().availableProcessors());

    Options {
      if (entryBytesMax < 1 || entryBytesMax > ENTRY_BYTES_MAX) {
        throw new IllegalArgumentException(
            "maximumEntryBytes must be from 1 to " + ENTRY_BYTES_MAX + ": " + entryBytesMax);
      }
      if (logBytesMax < SMALLEST_LOG_BYTES_MAX || logBytesMax > LARGEST_LOG_BYTES_MAX) {
        throw new IllegalArgumentException(
            "maximumLogBytes must be from "
                + SMALLEST_LOG_BYTES_MAX
                + " to "
                + LARGEST_LOG_BYTES_MAX
                + ": "
                + logBytesMax);
      }
      requirePositive("compactionBytesPerSecond", compactionBytesPerSecond);
      requirePositive("recoveryThreads", recoveryThreads);
    }

    private static void requirePositive(String what, long number) {
      if (number < 1) {
        throw new IllegalArgumentException(what + " must be positive: " + number);
      }
    }

    Options withDurability(Durability other) {
      return new Options(
          other, entryBytesMax, logBytesMax, compactionBytesPerSecond, recoveryThreads);
    }

    Options withEntryBytesMax(int other) {
      return new Options(durability, other, logBytesMax, compactionBytesPerSecond, recoveryThreads);
    }

    Options withLogBytesMax(long other) {
      return new Options(
          durability, entryBytesMax, other, compactionBytesPerSecond, recoveryThreads);
    }

    Options withCompactionBytesPerSecond(long other) {
      return new Options(durability, entryBytesMax, logBytesMax, other, recoveryThreads);
    }

    Options withRecoveryThreads(int other) {
      return new Options(durability, entryBytesMax, logBytesMax, compactionBytesPerSecond, other);
    }

    /** Derives all settings from these. */
    LogSettings settings() {
      int frameBytes = Format.align(entryBytesMax + FRAME_OVERHEAD_BYTES);
      // A power of two that the longest frame fills to two thirds at most. So that frame does not
      // wait until (nearly) all others are written.
      int ringBytes =
          Math.max(RING_BYTES_MIN, Integer.highestOneBit(frameBytes + frameBytes / 2 - 1) << 1);
      return new LogSettings(
          SequenceOrigin.ofTime(InstantSource.system(), new SecureRandom()),
          durability,
          ringBytes,
          entryBytesMax,
          durability == Durability.POWER_CUT ? ALLOCATED_SEGMENT_BYTES : SEGMENT_BYTES,
          LOW_WATER_BYTES,
          new LogSettings.Compaction(
              logBytesMax, COMPACTION_BATCH_BYTES, compactionBytesPerSecond, HELD_BYTES_PER_SECOND),
          ReplayPipeline.Settings.ofThreads(recoveryThreads));
    }
  }
}
