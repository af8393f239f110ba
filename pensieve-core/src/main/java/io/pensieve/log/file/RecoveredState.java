package io.pensieve.log.file;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What recovery found, and all that is needed to go on from it.
 *
 * @param end where the history ends: the next position
 * @param clean whether the log was closed; then no position beyond {@code end} was ever used
 * @param durable up to where the history was certainly forced
 * @param newest the newest segment, or null in a new log
 * @param ringTail the end of the history, as far as it was in the ring only
 * @param base up to here the history is in a base; 0 if there is none
 * @param tornBytes how many bytes of the newest segment lie behind {@code end}
 */
record RecoveredState(
    long end,
    boolean clean,
    long durable,
    @Nullable NewestSegment newest,
    RingTail ringTail,
    long base,
    long tornBytes) {

  /** The newest segment of a log that is not new. */
  record NewestSegment(Path path, Format.FileHeader header) {
    long offset(long position) {
      return Format.FILE_HEADER_BYTES + position - header.firstPosition();
    }
  }

  /** Nothing was there. */
  static RecoveredState emptyLog() {
    return new RecoveredState(0, true, 0, null, RingTail.none(0), 0, 0);
  }
}
