package io.pensieve.log;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What a log found when it was opened.
 *
 * @param changes how many changes and saved entries were replayed
 * @param bytes how many bytes were read
 * @param closedCleanly whether the map that wrote the log was closed; if not, the process died, and
 *     the LRU order is that of the writes since the last clean close or compaction (reads are not
 *     logged)
 * @param tornTail the unfinished end that was cut off, if there was one
 * @param elapsed how long replaying took
 */
public record RecoveryReport(
    long changes,
    long bytes,
    boolean closedCleanly,
    Optional<TornTail> tornTail,
    Duration elapsed) {

  /**
   * The end of a log that was being written when the process or the machine died. Normal after a
   * crash; none of it was acknowledged.
   *
   * @param file the file that was cut
   * @param offset where it was cut, in bytes
   * @param bytes how many bytes were cut off
   * @param copy where they were kept
   */
  public record TornTail(Path file, long offset, long bytes, Path copy) {}

  /** The report of a log in which there was nothing to recover. */
  public static RecoveryReport empty() {
    return new RecoveryReport(0, 0, true, Optional.empty(), Duration.ZERO);
  }
}
