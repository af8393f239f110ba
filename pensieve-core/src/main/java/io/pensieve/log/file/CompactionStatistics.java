package io.pensieve.log.file;

import java.time.Duration;
import java.util.Optional;

/**
 * The counts and results of a log's compactions so far.
 *
 * @param backOffNanos the pause after a failed compaction until the next one may begin; 0 if the
 *     last one did not fail
 */
record CompactionStatistics(
    long succeeded, long failed, Duration last, Optional<String> lastFailure, long backOffNanos) {
  private static final long BACK_OFF_NANOS_MIN = 1_000_000_000;
  private static final long BACK_OFF_NANOS_MAX = 300_000_000_000L;

  static final CompactionStatistics NONE =
      new CompactionStatistics(0, 0, Duration.ZERO, Optional.empty(), 0);

  CompactionStatistics success(long nanos) {
    return new CompactionStatistics(
        succeeded + 1, failed, Duration.ofNanos(nanos), Optional.empty(), 0);
  }

  CompactionStatistics failure(Throwable broken) {
    long doubled = Math.min(2 * backOffNanos, BACK_OFF_NANOS_MAX);
    return new CompactionStatistics(
        succeeded,
        failed + 1,
        last,
        Optional.of(broken.toString()),
        Math.max(BACK_OFF_NANOS_MIN, doubled));
  }
}
