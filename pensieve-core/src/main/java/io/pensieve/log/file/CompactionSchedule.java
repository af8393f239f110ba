package io.pensieve.log.file;

/** When a compaction is due, how far writers may outrun it, and how the past ones ended. */
final class CompactionSchedule {
  private final LogParts log;
  private final LogSettings.Compaction settings;

  // Only the compactor's thread stores these.
  private volatile LogSize size;
  private volatile CompactionStatistics statistics = CompactionStatistics.NONE;
  private long failedNanos;

  CompactionSchedule(LogParts log, LogSize begun) {
    this.log = log;
    this.settings = log.settings().compaction();
    this.size = begun;
  }

  /** The lengths of base and log. For any thread. */
  LogSize size() {
    return size;
  }

  /** The counts and results of compactions so far. For any thread. */
  CompactionStatistics statistics() {
    return statistics;
  }

  boolean isDue() {
    boolean backsOff = log.nanoTime().getAsLong() - failedNanos < statistics.backOffNanos();
    return !backsOff && !log.ring().isSealed() && size.isDue(log.ring().end(), settings);
  }

  /** Whether the log has too many files, and is no longer than this. */
  boolean hasTooManyFiles(long bytesMax) {
    return size.hasTooManyFiles(settings)
        && size.baseBytes() + size.logBytes(log.ring().end()) <= bytesMax;
  }

  /**
   * The position beyond which writers wait for a compaction to begin. None does after a failure.
   */
  long freeUntilBegun() {
    return statistics.backOffNanos() == 0 ? size.freeUntilBegun(settings) : Long.MAX_VALUE;
  }

  /** The position beyond which writers wait for a compaction from there, at so many bytes. */
  long freeUntil(long position, long written) {
    return size.freeUntil(position, written, settings);
  }

  /** Whether a compaction from this position, at so many bytes, may pause. */
  boolean isAhead(long position, long written) {
    return size.isAhead(position, log.ring().end(), written, settings);
  }

  /** The new base has its name. */
  void switched(long position, long baseBytes) {
    size = new LogSize(baseBytes, 0, position, 0);
  }

  void succeeded(long nanos) {
    statistics = statistics.success(nanos);
  }

  void failed(Throwable cause) {
    failedNanos = log.nanoTime().getAsLong();
    statistics = statistics.failure(cause);
  }
}
