package io.pensieve.log;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What a log found when it was opened.
 *
 * @param changes the number of changes and saved entries replayed
 * @param bytes the number of bytes read
 * @param closedCleanly whether the map that wrote the log was closed. If not, the process died. The
 *     LRU order is then that of the writes since the last clean close or compaction: reads are not
 *     logged
 * @param tornTail the torn tail that recovery cut off, if there was one
 * @param elapsed how long the replay took
 */
public record RecoveryReport(
    long changes,
    long bytes,
    boolean closedCleanly,
    Optional<TornTail> tornTail,
    Duration elapsed) {

  /**
   * An incomplete write at the end of a log, left by a crash of the process or the machine. Normal
   * after a crash; none of it was acknowledged.
   *
   * @param file the file that was cut
   * @param offset where the cut bytes began in it, in bytes
   * @param bytes how many bytes were cut off
   * @param copy the file that keeps the cut bytes
   */
  public record TornTail(Path file, long offset, long bytes, Path copy) {}

  /** The report of a log that needed no recovery. */
  public static RecoveryReport empty() {
    return new RecoveryReport(0, 0, true, Optional.empty(), Duration.ZERO);
  }
}
