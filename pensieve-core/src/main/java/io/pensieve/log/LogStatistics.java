package io.pensieve.log;

import java.time.Duration;
import java.util.Optional;

/**
 * The counters of a log since it was opened, and its state. The fields are read one after another
 * while the log is in use, so they need not match exactly.
 *
 * @param appendedBytes the bytes appended, in the log's own format
 * @param waitingBytes those of them that are in the ring and not in a segment yet
 * @param forces how often the log's file was forced; forces of other files do not count
 * @param forceTime how long these forces took together
 * @param longestForce how long the longest of them took; zero if there was none
 * @param baseBytes the size of the log's base: its entries at the last compaction
 * @param logBytes the size of the changes since then, which is the length of the log
 * @param compactions the number of successful compactions
 * @param failedCompactions the number of failed compactions
 * @param lastCompaction the duration of the last successful compaction; zero if there was none
 * @param lastFailure the cause of the most recent failed compaction; empty after a success
 * @param backOff how long the log waits after that failure before it compacts itself again; zero if
 *     the last compaction succeeded
 * @param failure why the log itself has failed; empty if it has not. A failed log accepts no more
 *     changes, and must be opened again
 * @param refusal why a put would be refused now, in words for an operator: the log has failed, or
 *     is closed, or the free space is below the reserve. Present exactly as long as puts are
 *     refused. If {@code failure} is empty and the log is not closed, it still accepts removals,
 *     and accepts puts again once there is space
 * @param freeBytes the free space of the log's volume when the log last checked, about a tenth of a
 *     second ago; 0 if the log does not use one
 * @param reserveBytes the free space required to accept puts: 64 MiB, or a sixteenth of the volume
 *     if that is less; 0 if the log does not use one
 */
public record LogStatistics(
    long appendedBytes,
    long waitingBytes,
    long forces,
    Duration forceTime,
    Duration longestForce,
    long baseBytes,
    long logBytes,
    long compactions,
    long failedCompactions,
    Duration lastCompaction,
    Optional<String> lastFailure,
    Duration backOff,
    Optional<String> failure,
    Optional<String> refusal,
    long freeBytes,
    long reserveBytes) {

  static final LogStatistics NONE =
      new LogStatistics(
          0,
          0,
          0,
          Duration.ZERO,
          Duration.ZERO,
          0,
          0,
          0,
          0,
          Duration.ZERO,
          Optional.empty(),
          Duration.ZERO,
          Optional.empty(),
          Optional.empty(),
          0,
          0);
}
