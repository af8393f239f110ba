package io.pensieve.log.file;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What recovery found: all that the end of recovery needs.
 *
 * @param end where the history ends: the next position
 * @param clean whether the log was closed; then no position beyond {@code end} was ever used
 * @param durable up to where the history was certainly forced
 * @param newest the newest segment, or null in a new log
 * @param inRing the end of the history that was only in the ring
 * @param base the position up to which a base has the history; 0 if there is no base
 * @param tornBytes how many bytes of the newest segment lie behind {@code end}
 */
record RecoveredState(
    long end,
    boolean clean,
    long durable,
    @Nullable NewestSegment newest,
    UnforcedFrames inRing,
    long base,
    long tornBytes) {

  /** The newest segment of a log that is not new. */
  record NewestSegment(Path path, FileHeader header) {
    long offset(long position) {
      return FileHeader.BYTES + position - header.firstPosition();
    }
  }

  /** The state of a new log: recovery found nothing. */
  static RecoveredState emptyLog() {
    return new RecoveredState(0, true, 0, null, UnforcedFrames.none(0), 0, 0);
  }
}
