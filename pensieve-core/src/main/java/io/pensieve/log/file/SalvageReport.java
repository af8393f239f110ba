package io.pensieve.log.file;

import java.nio.file.Path;
import java.util.List;

/**
 * The result of a salvage.
 *
 * @param contents the contents of the new folder
 * @param damages what was damaged or missing, in the order of the log
 */
public record SalvageReport(LogContents contents, List<SalvageReport.Damage> damages) {

  /**
   * Whether entries may be missing, may have an older value, or may be back although they were
   * removed.
   */
  public boolean losesSomething() {
    return damages.stream().anyMatch(Damage::losesSomething);
  }

  /**
   * A damaged or missing part.
   *
   * @param file the damaged file; the folder, if a file is missing
   * @param offset where the damaged bytes begin in the file
   * @param bytes how many bytes are damaged; 0 if they are missing
   * @param losesSomething whether the log lost anything by it
   * @param meaning what was there, and what its loss means for the entries
   */
  public record Damage(
      Path file, long offset, long bytes, boolean losesSomething, String meaning) {}
}
