package io.pensieve.server.tools;

import io.pensieve.log.file.LogContents;
import io.pensieve.log.file.OfflineLog;
import io.pensieve.server.backup.BackupExtractor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Makes a log of a backup, in a folder that no server uses. */
public final class BackupRestorer {
  // The log is unpacked and read in a folder within its folder. Then its files move up, between a
  // mark that makes a start refuse the folder and the end of that mark. So whenever the process
  // dies, the folder holds no log, or one that is refused, or the whole one.

  private static final String UNPACKED = "restore.tmp";
  private static final String MARK = "unfinished"; // see FORMAT.md
  private static final Set<String> IGNORED = Set.of(UNPACKED, "lost+found");

  private BackupRestorer() {}

  /**
   * Restores a backup, after it was read as a whole and found sound. If this fails, the folder is
   * as it was.
   *
   * @param folder empty, or not there
   * @return how many entries there are now, with those that have expired
   * @throws IOException if the folder is not empty, this is not all of a backup, or a disk fails
   * @throws io.pensieve.log.LogException if the backup is damaged
   */
  public static int restore(InputStream archive, Path folder) throws IOException {
    requireEmpty(folder);
    boolean madeFolder = !Files.exists(folder);
    Files.createDirectories(folder);
    Path unpacked = folder.resolve(UNPACKED);
    boolean isRestored = false;
    try {
      BackupExtractor.delete(unpacked); // what a restore that was cut short has left
      Files.createDirectory(unpacked);
      List<String> files = BackupExtractor.extract(archive, unpacked);
      LogEntryCounter entries = new LogEntryCounter();
      requireWhole(OfflineLog.read(unpacked, entries));
      moveUp(files, unpacked, folder);
      isRestored = true;
      return entries.entries();
    } finally {
      BackupExtractor.delete(unpacked);
      if (madeFolder && !isRestored) {
        Files.delete(folder);
      }
    }
  }

  private static void requireEmpty(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> children = Files.list(folder)) {
      if (!children.allMatch(child -> IGNORED.contains(String.valueOf(child.getFileName())))) {
        throw new IOException(folder + " is not empty: a restore replaces nothing");
      }
    }
  }

  private static void requireWhole(LogContents contents) throws IOException {
    if (!contents.closedCleanly()) {
      throw new IOException("the backup is cut off: the end of its log is missing");
    }
  }

  private static void moveUp(List<String> files, Path unpacked, Path folder) throws IOException {
    Path mark = Files.createFile(folder.resolve(MARK));
    BackupExtractor.force(folder);
    for (String file : files) {
      Files.move(unpacked.resolve(file), folder.resolve(file));
    }
    BackupExtractor.force(folder);
    Files.delete(mark);
    BackupExtractor.force(folder);
  }
}
