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
 * {@link LogContents#guarded} says so. If a map has the folder open, the reader gets {@link
 * LogException.Locked}.
 */
public final class OfflineLog {
  private OfflineLog() {}

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
  public static LogContents read(Path folder, ReplayHandler<byte[], byte[]> handler) {
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
    return reading(folder, guarded -> salvage(new ReadOnlyDisk(), folder, new FileDisk(), into));
  }

  static SalvageReport salvage(Disk from, Path folder, Disk to, Path into) throws IOException {
    List<SalvageReport.Damage> damages = LogSalvager.run(from, folder, to, into);
    return new SalvageReport(contents(to, into, true, LogSalvager.SILENT), damages);
  }

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

  static LogContents contents(
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
    return new LogContents(
        directory.files(recovered.base()),
        found.changes(),
        found.bytes(),
        recovered.base(),
        recovered.end(),
        recovered.clean(),
        unfinishedEnd(recovered),
        guarded);
  }

  private static Optional<LogContents.TornTail> unfinishedEnd(RecoveredState recovered) {
    RecoveredState.NewestSegment newest = recovered.newest();
    return newest == null || recovered.tornBytes() == 0
        ? Optional.empty()
        : Optional.of(
            new LogContents.TornTail(
                newest.path(), newest.offset(recovered.end()), recovered.tornBytes()));
  }
}
