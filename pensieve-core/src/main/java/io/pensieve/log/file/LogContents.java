package io.pensieve.log.file;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The sound contents of a log's folder.
 *
 * @param files all files, by name
 * @param changes how many changes and saved entries were replayed
 * @param bytes how many bytes of the log were read
 * @param base the position up to which a base has the history; 0 if there is no base
 * @param end the position where the history ends: no sequence is larger
 * @param closedCleanly whether the map that wrote the log was closed
 * @param unfinishedEnd the tail that the next opening will cut off
 * @param guarded whether the lock kept other processes from opening the log meanwhile. It does not
 *     if there is no {@code LOCK} file, or the file system has no locks. If another process opened
 *     the log meanwhile, these contents are not valid
 */
public record LogContents(
    List<LogFile> files,
    long changes,
    long bytes,
    long base,
    long end,
    boolean closedCleanly,
    Optional<LogContents.TornTail> unfinishedEnd,
    boolean guarded) {

  /**
   * An unfinished end, normal after a crash. The next opening cuts it off.
   *
   * @param file the file it is in
   * @param offset where it begins in the file, in bytes
   * @param bytes how long it is
   */
  public record TornTail(Path file, long offset, long bytes) {}
}
