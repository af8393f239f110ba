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
 * The folder of a {@link FileLog} that no map has open: reads it as bytes, without changing
 * anything, and salvages what can be read of a damaged one.
 *
 * <p>While a folder is read, maps of this process cannot open it, nor can other processes if {@link
 * Contents#guarded} says so; a map that has it open refuses the reader with {@link
 * LogException.Locked}.
 */
public final class OfflineLog {
  private OfflineLog() {}

  /** What a file in the folder is to the log. */
  public enum FileKind {
    /** Changes. */
    SEGMENT,
    /** The entries that older changes had led to. */
    BASE,
    /** What was acknowledged and not yet written to a segment. */
    RING,
    /** Replaced by a base, and deleted when the log is opened. */
    STALE,
    /** An end that was cut off at some opening, and kept. */
    TORN_END,
    /** In the making when a process died; deleted when the log is opened. */
    TEMPORARY,
    /** A file whose name is all that matters: the lock, or the mark of an unfinished copy. */
    MARK,
    /** Nothing that a log makes. */
    OTHER
  }

  /** A file in the folder. */
  public record LogFile(Path path, FileKind kind) {}

  /**
   * An unfinished end, normal after a crash, which will be cut off when the log is opened.
   *
   * @param file where it is
   * @param offset where it begins in the file, in bytes
   * @param bytes how long it is
   */
  public record TornTail(Path file, long offset, long bytes) {}

  /**
   * What a folder holds that is sound.
   *
   * @param files all files, by name
   * @param changes how many changes and saved entries were told
   * @param bytes how many bytes of the log were read
   * @param base the position up to which the history is in a base; 0 if there is none
   * @param end the position where the history ends: no sequence number is larger
   * @param closedCleanly whether the map that wrote the log was closed
   * @param unfinishedEnd what will be cut off
   * @param guarded whether other processes were kept from opening the log meanwhile. They are not
   *     where there is no {@code LOCK} file, or the file system knows no locks; if one opened it
   *     meanwhile, none of this counts
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
   * Tells a log's history in order, on this thread, by the rules and the code by which a map that
   * is opened reads it. Needs no more memory for a long log than for a short one.
   *
   * @param handler is told keys and values as they are in the files. What it throws ends the
   *     reading and is passed on
   * @throws LogException.Corrupt if opening the log would be refused; what was told before is what
   *     was read before the damage was met
   * @throws LogException.Locked if a map has the log open
   * @throws LogException.Failed if there is no log in the folder, or reading fails
   */
  public static Contents read(Path folder, ReplayHandler<byte[], byte[]> handler) {
    return reading(folder, guarded -> contents(new ReadOnlyDisk(), folder, guarded, handler));
  }

  /**
   * Copies what can be read of a log to a new folder, where it can be opened. Meant for a log that
   * is refused because it is damaged; of a sound one it copies all. What is damaged or missing is
   * left out and reported; sequence numbers stay, and so does the order. Nothing is changed in the
   * old folder. Afterwards the new log is read as by {@link #read}.
   *
   * @param folder the log
   * @param into where the new one goes: a folder that is empty, or not there yet
   * @throws IllegalArgumentException if {@code into} holds anything, or lies in the old folder
   * @throws LogException.Locked if a map has one of the folders open
   * @throws LogException.Failed if there is no log in the folder, or copying fails; what was copied
   *     is deleted then
   */
  public static SalvageReport salvage(Path folder, Path into) {
    if (into.toAbsolutePath().normalize().startsWith(folder.toAbsolutePath().normalize())) {
      throw new IllegalArgumentException(into + " is in the folder that is not to be changed");
    }
    return reading(
        folder, guarded -> LogSalvager.run(new ReadOnlyDisk(), folder, new FileDisk(), into));
  }

  /**
   * What was salvaged.
   *
   * @param contents what the new folder holds
   * @param damages what was found damaged or missing, in the order of the log
   */
  public record SalvageReport(Contents contents, List<Damage> damages) {

    /**
     * Whether entries may be missing, older than they were, or there although they were removed.
     */
    public boolean losesSomething() {
      return damages.stream().anyMatch(Damage::losesSomething);
    }
  }

  /**
   * Something damaged or missing.
   *
   * @param file the damaged file; the folder, if a file is missing
   * @param offset where the damaged bytes begin in the file
   * @param bytes how many there are; 0 if they are missing
   * @param losesSomething whether anything was lost by it
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
