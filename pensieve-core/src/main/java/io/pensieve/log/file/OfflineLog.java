package io.pensieve.log.file;

import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import io.pensieve.log.ReplayHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Reads the folder of a {@link FileLog} that no map has open, as bytes, without changing anything.
 * Salvages the readable changes of a damaged log.
 *
 * <p>While a folder is being read, maps of this process cannot open it. Nor can other processes, if
 * {@link Contents#guarded} says so. If a map has the folder open, the reader gets {@link
 * LogException.Locked}.
 */
public final class OfflineLog {
  private OfflineLog() {}

  /** What a file in the folder means to the log. */
  public enum FileKind {
    /** Changes. */
    SEGMENT,
    /** The entries that resulted from older changes. */
    BASE,
    /** Changes that were acknowledged and not yet written to a segment. */
    RING,
    /** Replaced by a base; the next opening deletes it. */
    STALE,
    /** A torn tail that an opening cut off and kept. */
    TORN_END,
    /** Incomplete when a process died; the next opening deletes it. */
    TEMPORARY,
    /** A file of which only the name matters: the lock, or the mark of an unfinished copy. */
    MARK,
    /** Not a file of a log. */
    OTHER
  }

  /** A file in the folder. */
  public record LogFile(Path path, FileKind kind) {}

  /**
   * An unfinished end, normal after a crash. The next opening cuts it off.
   *
   * @param file the file it is in
   * @param offset where it begins in the file, in bytes
   * @param bytes how long it is
   */
  public record TornTail(Path file, long offset, long bytes) {}

  /**
   * The sound contents of a folder.
   *
   * @param files all files, by name
   * @param changes how many changes and saved entries were replayed
   * @param bytes how many bytes of the log were read
   * @param base the position up to which a base has the history; 0 if there is no base
   * @param end the position where the history ends: no sequence is larger
   * @param closedCleanly whether the map that wrote the log was closed
   * @param unfinishedEnd the tail that the next opening will cut off
   * @param guarded whether the lock kept other processes from opening the log meanwhile. It does
   *     not if there is no {@code LOCK} file, or the file system has no locks. If another process
   *     opened the log meanwhile, these contents are not valid
   */
  public record Contents(
      List<LogFile> files,
      long changes,
      long bytes,
      long base,
      long end,
      boolean closedCleanly,
      Optional<TornTail> unfinishedEnd,
      boolean guarded) {}

  /**
   * Replays a log's history in order, on one thread. It uses the same rules and code as the opening
   * of a map. A long log needs no more memory than a short one.
   *
   * @param handler receives keys and values as they are in the files. An exception from it ends the
   *     reading and is passed on
   * @throws LogException.Corrupt if opening the log would be refused; the changes replayed before
   *     are those before the damage
   * @throws LogException.Locked if a map has the log open
   * @throws LogException.Failed if there is no log in the folder, or reading fails
   */
  public static Contents read(Path folder, ReplayHandler<byte[], byte[]> handler) {
    return reading(folder, guarded -> contents(new ReadOnlyDisk(), folder, guarded, handler));
  }

  /**
   * Copies the readable part of a log to a new folder, where it can be opened. Meant for a damaged
   * log that is refused; of a sound log it copies everything. It leaves out and reports whatever is
   * damaged or missing. Sequences and order stay the same. Nothing changes in the old folder. At
   * the end the new log is read as by {@link #read}.
   *
   * @param folder the log
   * @param into the new log's folder: empty, or not there yet
   * @throws IllegalArgumentException if {@code into} holds anything, or lies in the old folder
   * @throws LogException.Locked if a map has one of the folders open
   * @throws LogException.Failed if there is no log in the folder, or copying fails; then the copy
   *     is deleted
   */
  public static SalvageReport salvage(Path folder, Path into) {
    if (into.toAbsolutePath().normalize().startsWith(folder.toAbsolutePath().normalize())) {
      throw new IllegalArgumentException(into + " is in the folder that is not to be changed");
    }
    return reading(
        folder, guarded -> LogSalvager.run(new ReadOnlyDisk(), folder, new FileDisk(), into));
  }

  /**
   * The result of a salvage.
   *
   * @param contents the contents of the new folder
   * @param damages what was damaged or missing, in the order of the log
   */
  public record SalvageReport(Contents contents, List<Damage> damages) {

    /**
     * Whether entries may be missing, may have an older value, or may be back although they were
     * removed.
     */
    public boolean losesSomething() {
      return damages.stream().anyMatch(Damage::losesSomething);
    }
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

  private interface Work<T> {
    T run(boolean guarded) throws IOException;
  }

  private static <T> T reading(Path folder, Work<T> work) {
    if (!Files.isDirectory(folder)) {
      throw new LogException.Failed(folder + " is no folder", null);
    }
    try {
      return UninterruptibleThread.call("pensieve-reading", () -> readingHere(folder, work));
    } catch (IOException broken) {
      throw new LogException.Failed("cannot read the log in " + folder + ": " + broken, broken);
    }
  }

  private static <T> T readingHere(Path folder, Work<T> work) throws IOException {
    if (!new LogDirectory(new ReadOnlyDisk(), folder).holdsLog()) {
      throw new LogException.Failed(folder + " holds no log", null);
    }
    try (FolderLock lock = FolderLock.share(folder)) {
      return work.run(lock.isGuarded());
    }
  }

  static Contents contents(
      Disk disk, Path folder, boolean guarded, ReplayHandler<byte[], byte[]> handler)
      throws IOException {
    LogDirectory directory = new LogDirectory(disk, folder);
    Recovery.Result found =
        new Recovery<>(
                directory,
                Codec.bytes(),
                Codec.bytes(),
                handler,
                ReplayPipeline.Settings.ofThreads(1))
            .run();
    RecoveredState recovered = found.recovered();
    return new Contents(
        directory.files(recovered.base()),
        found.changes(),
        found.bytes(),
        recovered.base(),
        recovered.end(),
        recovered.clean(),
        unfinishedEnd(recovered),
        guarded);
  }

  private static Optional<TornTail> unfinishedEnd(RecoveredState recovered) {
    RecoveredState.NewestSegment newest = recovered.newest();
    return newest == null || recovered.tornBytes() == 0
        ? Optional.empty()
        : Optional.of(
            new TornTail(newest.path(), newest.offset(recovered.end()), recovered.tornBytes()));
  }
}
