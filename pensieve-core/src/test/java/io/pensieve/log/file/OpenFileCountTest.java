package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.file.SimulatedLog.Event;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What opening a log needs of a disk, and what many openings leave there. */
class OpenFileCountTest {
  private static final int LIVES = 110; // more than FILES_MAX
  private static final int FILES_MAX = 80;

  @ParameterizedTest
  @EnumSource
  void aLogOpensOnAFullDiskForReadingAndRemoving(Durability durability) {
    for (boolean isClosed : new boolean[] {false, true}) {
      SimulatedLog log = new SimulatedLog(new SimulatedDisk(), durability, 1 << 20);
      log.open();
      List<Event> history = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        history.add(log.append(new Change.Put<>("k" + i, "v")));
        log.step();
      }
      if (isClosed) {
        log.close();
      } else {
        log.disk.killProcess();
      }
      // Room for a header, and neither for a ring nor for a segment of zeros.
      log.disk.usableBytes(FileHeader.BYTES + 64);
      assertEquals(history, log.open());
      history.add(log.append(new Change.Remove<>("k1")));
      log.step();
      log.disk.killProcess();
      assertEquals(history, log.open(), "and once more");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aLogOpensOnADiskThatHasNotAByteLeft(Durability durability) {
    for (boolean isClosed : new boolean[] {false, true}) {
      SimulatedLog log = new SimulatedLog(new SimulatedDisk(), durability, 1 << 20);
      log.open();
      List<Event> history = new ArrayList<>();
      history.add(log.append(new Change.Put<>("k", "v")));
      history.add(log.append(new Change.Put<>("l", "v")));
      log.settle();
      if (isClosed) {
        log.close();
      } else {
        log.disk.killProcess();
      }
      log.disk.fillUp();
      assertEquals(history, log.open());
      history.add(log.append(new Change.Remove<>("k")));
      log.settle();
      log.disk.killProcess();
      log.disk.usableBytes(1 << 20);
      assertEquals(history, log.open(), "with room again");
    }
  }

  /** As above, on a real one. */
  @ParameterizedTest
  @EnumSource
  @SuppressWarnings("try") // closing the disk may be interrupted, as the test itself
  void aMapOpensOnAFileSystemThatHasNotAByteLeft(Durability durability, @TempDir Path parent)
      throws Exception {
    Path folder = parent.resolve("small");
    try (SmallDisk disk = SmallDisk.mount(folder, 32)) {
      Path log = folder.resolve("log");
      try (Pensieve<String, String> map = map(log, durability)) {
        map.put("k", "v");
        map.put("l", "v");
      }
      for (int life = 0; life < 2; life++) {
        fill(folder.resolve("filler" + life));
        assertEquals(0, Files.getFileStore(folder).getUsableSpace());
        try (Pensieve<String, String> map = map(log, durability)) {
          assertEquals("v", map.get("l"));
          assertEquals(life == 0 ? "v" : null, map.get("k"));
          assertThrows(LogException.Full.class, () -> map.put("m", "v"));
          map.remove("k"); // takes two pages, and the next life has half of the reserve
        }
      }
    }
  }

  private static Pensieve<String, String> map(Path folder, Durability durability) {
    return Pensieve.<String, String>builder()
        .maximumEntries(10)
        .log(FileLog.at(folder, Codec.utf8(), Codec.utf8()).durability(durability))
        .open();
  }

  private static void fill(Path file) throws IOException {
    byte[] piece = new byte[4096];
    try (OutputStream out = Files.newOutputStream(file)) {
      while (true) {
        out.write(piece);
      }
    } catch (IOException full) {
      assertTrue(String.valueOf(full.getMessage()).contains("No space left"), full::toString);
    }
  }

  private static FileLog<String, String> log(Path folder) {
    LogSettings settings =
        new LogSettings(
            end -> end,
            Durability.PROCESS_DEATH,
            64 << 10,
            32 << 10,
            1 << 20,
            1,
            new LogSettings.Compaction(1 << 20, 1 << 16, 1L << 40, 1L << 40),
            ReplayPipeline.Settings.ofThreads(1));
    return FileLog.open(
        new FileDisk(), folder, Codec.utf8(), Codec.utf8(), settings, LogThreads.daemons());
  }

  private static Pensieve<String, String> map(Path folder) {
    return Pensieve.<String, String>builder().maximumEntries(10).log(log(folder)).open();
  }

  private static long files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.count();
    }
  }

  @Test
  void livesThatWriteLeaveNoMoreAndMoreFiles(@TempDir Path folder) throws IOException {
    for (int life = 0; life < LIVES; life++) {
      try (Pensieve<String, String> map = map(folder)) {
        assertEquals(Math.min(10, life), map.size());
        map.put("k" + life, "v");
      }
      long files = files(folder);
      assertTrue(files <= FILES_MAX, files + " files after " + life + " lives");
    }
  }

  /** A disk of which at most so many files are open at a time; of those that are only read. */
  private static final class OpenFileCountingDisk {
    private int open;
    private int most;

    Disk of(Disk disk) {
      return (Disk) proxy(Disk.class, disk);
    }

    private Object proxy(Class<?> type, Object real) {
      return Proxy.newProxyInstance(
          OpenFileCountingDisk.class.getClassLoader(),
          new Class<?>[] {type},
          (proxy, method, args) -> call(real, method, args));
    }

    private Object call(Object real, Method method, Object[] args) throws Throwable {
      try {
        method.setAccessible(true);
        Object answer = method.invoke(real, args);
        if (method.getName().equals("open")) {
          most = Math.max(most, ++open);
          return proxy(Disk.File.class, answer);
        } else if (method.getName().equals("close")) {
          open--;
        }
        return answer;
      } catch (InvocationTargetException thrown) {
        throw thrown.getCause();
      }
    }
  }

  @Test
  void segmentsAreReadAndSalvagedOneAfterAnother() throws IOException {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH, 64);
    log.open();
    for (int i = 0; i < 40; i++) {
      log.append(new Change.Put<>("k" + i, "v"));
      log.step();
    }
    log.disk.killProcess();
    OpenFileCountingDisk reading = new OpenFileCountingDisk();
    SimulatedDisk disk = SimulatedDisk.of(log.disk.contents());
    Replayed replayed = SimulatedLog.read(reading.of(disk), SimulatedLog.FOLDER);
    assertEquals(40, replayed.onlyEvents().size());
    assertTrue(new LogDirectory(disk, SimulatedLog.FOLDER).segments().size() > 20);
    assertTrue(reading.most <= 3, reading.most + " files open");
    assertEquals(0, reading.open);

    OpenFileCountingDisk salvaging = new OpenFileCountingDisk();
    OfflineLog.salvage(
        salvaging.of(disk), SimulatedLog.FOLDER, new SimulatedDisk(), Path.of("salvaged"));
    assertTrue(salvaging.most <= 3, salvaging.most + " files open");
    assertEquals(0, salvaging.open);
  }
}
