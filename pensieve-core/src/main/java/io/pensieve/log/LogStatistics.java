package io.pensieve.log;

import java.time.Duration;
import java.util.Optional;

/**
 * What a log has done since it was opened, and how it stands. The parts are read one after another
 * while the log is in use, so they need not fit each other to the byte.
 *
 * @param appendedBytes what was appended, in the log's own format
 * @param waitingBytes of that, what is in the ring and not in a segment yet
 * @param forces how often the log's file was forced; not counted are those of other files
 * @param baseBytes the entries that the log begins with, as they were when it was last compacted
 * @param logBytes the changes since then, as long as the log is
 * @param compactions how many have succeeded
 * @param failedCompactions how many have not
 * @param lastCompaction how long the last one took that has succeeded; zero if there was none
 * @param lastFailure why the last compaction has failed, if the one before the next has
 * @param backOff how long the log waits after that failure before it compacts itself again; zero if
 *     the last compaction has succeeded
 * @param failure why the log itself has failed, if it has: it then takes no more changes, and only
 *     opening it again helps
 * @param refusal why a put would be refused now, if it would: in words for an operator, that the
 *     log has failed, or is closed, or that the free space is below the reserve. Present exactly as
 *     long as puts are refused; with {@code failure} empty and the log not closed, removals are
 *     still taken, and puts will be when there is room
 * @param freeBytes how much room the log's volume had left when the log last looked, a tenth of a
 *     second ago or so; 0 if the log does not use one
 * @param reserveBytes how much of it must be left for puts to be taken: 64 MiB, or a sixteenth of
 *     the volume where that is less; 0 if the log does not use one
 */
public record LogStatistics(
    long appendedBytes,
    long waitingBytes,
    long forces,
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
