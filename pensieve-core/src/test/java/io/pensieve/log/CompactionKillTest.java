package io.pensieve.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Real processes, killed by SIGKILL while their maps are written and their logs compacted. */
class CompactionKillTest {
  private static final int KILLS = 4;
  private static final int WRITERS = 3;
  private static final int KEYS = 40; // of each writer
  private static final int ACKNOWLEDGEMENTS_BEFORE_KILL = 2000;

  private final Path folder;

  CompactionKillTest(@TempDir Path folder) {
    this.folder = folder;
  }

  // A log so small that one compaction follows the other.
  static Pensieve<String, Long> open(Path folder, Durability durability) {
    FileLog.Settings settings =
        new FileLog.Settings(
            durability,
            64 << 10,
            4096,
            16 << 10,
            1,
            new Compactor.Settings(1536, 512, 1L << 40, 1L << 40),
            new Telling.Settings(3, 4096, 0));
    return Pensieve.<String, Long>builder()
        .maximumEntries((long) WRITERS * KEYS)
        .log(
            FileLog.open(
                new FileDisk(),
                folder,
                Codec.utf8(),
                Codec.int64(),
                settings,
                FileLog.Threads.daemons()))
        .open();
  }

  @ParameterizedTest
  @EnumSource
  void whatAKilledProcessAcknowledgedIsThere(Durability durability) throws Exception {
    Map<String, Long> acknowledged = new HashMap<>();
    for (int kill = 0; kill < KILLS; kill++) {
      runAndKill(durability, kill, newestBase(), acknowledged);
      try (Pensieve<String, Long> map = open(folder, durability)) {
        acknowledged.forEach((key, count) -> assertReached(map, key, count));
        assertEquals(WRITERS * KEYS, map.size());
      }
    }
  }

  private static void assertReached(Map<String, Long> map, String key, long count) {
    Long found = map.get(key);
    assertTrue(
        found != null && found >= count,
        () -> key + ": acknowledged " + count + ", found " + found);
  }

  private long newestBase() throws IOException {
    try (var names = Files.list(folder)) {
      return names
          .map(file -> String.valueOf(file.getFileName()))
          .filter(name -> name.endsWith(LogDirectory.BASE_SUFFIX))
          .mapToLong(name -> Long.parseLong(name.replace(LogDirectory.BASE_SUFFIX, ""), 16))
          .max()
          .orElse(-1);
    }
  }

  // Not before it has compacted its log.
  private void runAndKill(
      Durability durability, int kill, long base, Map<String, Long> acknowledged)
      throws IOException, InterruptedException {
    KilledProcess.run(
        Child.class,
        List.of(folder.toString(), durability.name(), Long.toString(kill * 1_000_000_000L)),
        line -> {
          int after = line - ACKNOWLEDGEMENTS_BEFORE_KILL - 100 * kill;
          return after >= 0 && after % 50 == 0 && newestBase() > base;
        },
        (key, count) -> acknowledged.merge(key, count, Math::max));
  }

  /** The process that is killed: each of its writers counts, and reports what is acknowledged. */
  static final class Child {
    private Child() {}

    public static void main(String[] args) {
      Pensieve<String, Long> map = open(Path.of(args[0]), Durability.valueOf(args[1]));
      long first = Long.parseLong(args[2]);
      for (int writer = 0; writer < WRITERS; writer++) {
        String name = "w" + writer + "-";
        new Thread(() -> write(map, name, first)).start();
      }
    }

    private static void write(Map<String, Long> map, String name, long first) {
      for (long count = first; ; count++) {
        String key = name + count % KEYS;
        map.put(key, count);
        System.out.println(key + " " + count + " .");
      }
    }
  }
}
