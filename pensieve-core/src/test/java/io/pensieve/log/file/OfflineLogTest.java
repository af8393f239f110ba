package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.ReplayHandler;
import io.pensieve.testing.Depth;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reading the folder of a log that no map has open. */
@Tag(Depth.TAG)
class OfflineLogTest {
  private static final int HEAD_STEP =
      Depth.of(35, 3, 1); // bits from one damage to the next; in every byte
  private static final int VERDICTS = Depth.of(25, 50, 100); // of each kind, at least

  private final Path parent;

  OfflineLogTest(@TempDir Path parent) {
    this.parent = parent;
  }

  /** Tells keys, as text. */
  private static final class Keys implements ReplayHandler<byte[], byte[]> {
    private final List<String> keys = new ArrayList<>();

    @Override
    public void change(long sequence, Change<byte[], byte[]> change) {
      keys.add(new String(change.key(), StandardCharsets.UTF_8));
    }

    @Override
    public void entry(Change.Put<byte[], byte[]> put, long version, long stamp) {
      keys.add(new String(put.key(), StandardCharsets.UTF_8));
    }

    @Override
    public void progress(long bytesRead, long bytesTotal) {}
  }

  private Pensieve<String, String> open(Path folder) {
    return Pensieve.<String, String>builder()
        .log(FileLog.at(folder, Codec.utf8(), Codec.utf8()))
        .open();
  }

  private Path closedLog() {
    Path folder = parent.resolve("log");
    try (var map = open(folder)) {
      map.put("a", "1");
      map.put("b", "2");
      map.remove("a");
    }
    return folder;
  }

  private static Map<Path, byte[]> bytes(Path folder) throws IOException {
    Map<Path, byte[]> bytes = new TreeMap<>();
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        bytes.put(file, Files.readAllBytes(file));
      }
    }
    return bytes;
  }

  private static void assertSame(Map<Path, byte[]> before, Map<Path, byte[]> after) {
    assertEquals(before.keySet(), after.keySet());
    before.forEach((file, bytes) -> assertArrayEquals(bytes, after.get(file), file.toString()));
  }

  @Test
  void aClosedLogIsToldAsItIsAndNothingIsChanged() throws IOException {
    Path folder = closedLog();
    Map<Path, byte[]> before = bytes(folder);
    Keys told = new Keys();
    LogContents contents = OfflineLog.read(folder, told);
    assertEquals(List.of("a", "b", "a"), told.keys);
    assertEquals(3, contents.changes());
    assertTrue(contents.closedCleanly());
    assertTrue(contents.guarded());
    assertEquals(
        List.of(LogFile.Kind.SEGMENT, LogFile.Kind.MARK, LogFile.Kind.TEMPORARY, LogFile.Kind.RING),
        contents.files().stream().map(LogFile::kind).toList());
    assertSame(before, bytes(folder));
  }

  @Test
  void aReadOnlyFolderIsReadToo() throws IOException {
    Path folder = closedLog();
    try (var files = Files.list(folder)) {
      files.forEach(file -> assertTrue(file.toFile().setReadOnly()));
    }
    assertTrue(folder.toFile().setReadOnly());
    try {
      assertTrue(OfflineLog.read(folder, new Keys()).guarded());
    } finally {
      assertTrue(folder.toFile().setWritable(true));
    }
  }

  @Test
  void aLogWithoutALockFileIsReadAndSaidToBeUnguarded() throws IOException {
    Path folder = closedLog();
    Files.delete(folder.resolve("LOCK"));
    assertFalse(OfflineLog.read(folder, new Keys()).guarded());
    assertFalse(Files.exists(folder.resolve("LOCK")));
  }

  @Test
  void whatIsNoLogIsRefusedAndNothingIsLeftThere() throws IOException {
    Path folder = Files.createDirectory(parent.resolve("photos"));
    Files.writeString(folder.resolve("cat"), "cat");
    Map<Path, byte[]> before = bytes(folder);
    assertThrows(LogException.Failed.class, () -> OfflineLog.read(folder, new Keys()));
    assertSame(before, bytes(folder));
    Path missing = parent.resolve("missing");
    assertThrows(LogException.Failed.class, () -> OfflineLog.read(missing, new Keys()));
    assertFalse(Files.exists(missing));
  }

  @Test
  void aLogInUseIsRefusedAndStaysLocked() {
    Path folder = parent.resolve("log");
    try (var map = open(folder)) {
      map.put("a", "1");
      assertThrows(LogException.Locked.class, () -> OfflineLog.read(folder, new Keys()));
      assertThrows(LogException.Locked.class, () -> open(folder));
      map.put("b", "2");
    }
    Keys told = new Keys();
    OfflineLog.read(folder, told);
    assertEquals(List.of("a", "b"), told.keys);
  }

  @Test
  void whileItIsReadALogCannotBeOpened() {
    Path folder = closedLog();
    OfflineLog.read(
        folder,
        new ReplayHandler<>() {
          @Override
          public void change(long sequence, Change<byte[], byte[]> change) {
            assertThrows(LogException.Locked.class, () -> open(folder));
          }

          @Override
          public void entry(Change.Put<byte[], byte[]> put, long version, long stamp) {}

          @Override
          public void progress(long bytesRead, long bytesTotal) {}
        });
    open(folder).close();
  }

  /** Whether this log is sound; then it can be opened, and else it cannot. */
  private static boolean isSound(Map<Path, byte[]> files, String context) throws IOException {
    boolean isSound = true;
    try {
      OfflineLog.contents(SimulatedDisk.of(files), SimulatedLog.FOLDER, true, new Keys());
    } catch (LogException.Corrupt damaged) {
      isSound = false;
    }
    SimulatedLog log = new SimulatedLog(SimulatedDisk.of(files), Durability.POWER_CUT);
    boolean opens = true;
    try {
      log.openReplayed();
    } catch (LogException.Corrupt refused) {
      opens = false;
    }
    assertEquals(opens, isSound, context);
    return isSound;
  }

  @Test
  void whatIsCalledSoundOpensAndWhatIsCalledDamagedIsRefusedForAnyFlippedBit() throws IOException {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);
    log.open();
    log.runScript(new Random(4), 25);
    log.disk.killProcess();
    Map<Path, byte[]> files = log.disk.contents();
    assertTrue(isSound(files, "undamaged"));
    int[] verdicts = new int[2];
    for (Map.Entry<Path, byte[]> file : files.entrySet()) {
      byte[] bytes = file.getValue();
      for (int bit = 0; bit < bytes.length * 8; bit += bit < 80 * 8 ? HEAD_STEP : 29 * HEAD_STEP) {
        bytes[bit / 8] ^= (byte) (1 << (bit % 8));
        verdicts[isSound(files, file.getKey() + ", bit " + bit) ? 1 : 0]++;
        bytes[bit / 8] ^= (byte) (1 << (bit % 8));
      }
    }
    assertTrue(verdicts[0] > VERDICTS && verdicts[1] > VERDICTS, Arrays.toString(verdicts));
  }
}
