package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a log does to folders, and to files that are not its own. */
class LogDirectoryTest {
  private static final String FORCE_ABOVE = "force directory above";

  private static List<String> forcesAboveWhile(SimulatedLog log, Runnable work) {
    List<String> operations = new ArrayList<>();
    log.disk.watch(operations::add);
    work.run();
    log.disk.watch(operation -> {});
    return operations.stream().filter(FORCE_ABOVE::equals).toList();
  }

  @Test
  void onlyWhatIsMadeIsForcedAbove() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);
    // The folder that is made, and best effort the one in which it is made.
    assertEquals(List.of(FORCE_ABOVE, FORCE_ABOVE), forcesAboveWhile(log, log::open));
    log.close();
    assertEquals(List.of(), forcesAboveWhile(log, log::open));
    log.close();
  }

  /** Opens a log while the only thing that does not work is to force folders above it. */
  private static void openWhereNothingAboveCanBeForced(SimulatedDisk disk) {
    disk.watch(
        operation -> {
          if (operation.equals(FORCE_ABOVE)) {
            disk.failAfter(0, false);
          }
        });
    new SimulatedLog(disk, Durability.POWER_CUT).open();
  }

  @Test
  void aFolderThatWasThereMayLieInOneThatCannotBeForced() throws IOException {
    SimulatedDisk disk = new SimulatedDisk();
    disk.createFolder(SimulatedLog.FOLDER.toAbsolutePath());
    openWhereNothingAboveCanBeForced(disk);
    assertTrue(disk.hasFailed());
  }

  @Test
  void aFolderThatIsMadeMustBeForced() {
    LogException.Failed refused =
        assertThrows(
            LogException.Failed.class, () -> openWhereNothingAboveCanBeForced(new SimulatedDisk()));
    assertTrue(String.valueOf(refused.getMessage()).contains(FORCE_ABOVE));
  }

  @Test
  void nothingIsDeletedThatIsNotALogs(@TempDir Path folder) throws IOException {
    List<String> strangers =
        List.of(
            "notes.tmp",
            "first.tmp.tmp",
            "First.tmp",
            ".tmp",
            "x.log.torn-1",
            "0000000000000000.log.torn-x",
            "0000000000000000.bak",
            "000000000000000g.log");
    for (String stranger : strangers) {
      Files.writeString(folder.resolve(stranger), "of somebody else");
    }
    for (String ours : List.of("first.tmp", "spare.tmp", "base.tmp", "copy.tmp")) {
      Files.writeString(folder.resolve(ours), "in the making");
    }
    for (int life = 0; life < 2; life++) {
      try (FileLog<String, String> log = FileLog.at(folder, Codec.utf8(), Codec.utf8())) {
        log.replay(Replayed.inAnyOrder());
        log.append(new Change.Put<>("k", "v"));
      }
    }
    for (String stranger : strangers) {
      assertEquals("of somebody else", Files.readString(folder.resolve(stranger)), stranger);
    }
    List<LogFile> files = new LogDirectory(new FileDisk(), folder).files(0);
    assertEquals(
        strangers.stream().sorted().toList(),
        files.stream()
            .filter(file -> file.kind() == LogFile.Kind.OTHER)
            .map(file -> String.valueOf(file.path().getFileName()))
            .toList());
    assertEquals(
        List.of("reserve.tmp"),
        files.stream()
            .filter(file -> file.kind() == LogFile.Kind.TEMPORARY)
            .map(file -> String.valueOf(file.path().getFileName()))
            .toList(),
        "the log's own, of this life");
  }
}
