package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.testing.Depth;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Real processes, killed by SIGKILL while their maps are written and their logs compacted. */
@Tag(Depth.TAG)
class CompactionKillTest {
  private static final int KILLS = Depth.of(1, 7, 65); // of each kind
  private static final int WRITERS = 3;
  private static final int KEYS = 40; // of each writer
  private static final int REMOVED_KEY_OF = 5; // each fifth key is removed when it has been put
  private static final int ACKNOWLEDGEMENTS_BEFORE_KILL = 1000;

  private final Path folder;

  CompactionKillTest(@TempDir Path folder) {
    this.folder = folder;
  }

  // A log so small that one compaction follows the other.
  static Pensieve<String, Long> open(Path folder, Durability durability, int bound) {
    LogSettings settings =
        new LogSettings(
            end -> end,
            durability,
            64 << 10,
            4096,
            16 << 10,
            1,
            new LogSettings.Compaction(1536, 512, 1L << 40, 1L << 40),
            new ReplayPipeline.Settings(3, 4096, 0));
    return Pensieve.<String, Long>builder()
        .maximumEntries(bound)
        .log(
            FileLog.open(
                new FileDisk(),
                folder,
                Codec.utf8(),
                Codec.int64(),
                settings,
                LogThreads.daemons()))
        .open();
  }

  @ParameterizedTest
  @EnumSource
  void whatAKilledProcessAcknowledgedIsThere(Durability durability) throws Exception {
    killAgainAndAgain(durability, WRITERS * KEYS);
  }

  @ParameterizedTest
  @EnumSource
  void whatAKilledProcessEvictedOrRemovedDoesNotComeBackOlder(Durability durability)
      throws Exception {
    killAgainAndAgain(durability, KEYS);
  }

  private void killAgainAndAgain(Durability durability, int bound) throws Exception {
    Map<String, Long> acknowledged = new HashMap<>();
    for (int kill = 0; kill < KILLS; kill++) {
      runAndKill(durability, bound, kill, acknowledged);
      try (Pensieve<String, Long> map = open(folder, durability, bound)) {
        boolean evicts = bound < WRITERS * KEYS;
        acknowledged.forEach((key, count) -> assertReached(map, key, count, evicts));
        assertTrue(map.size() <= bound);
      }
    }
  }

  private static void assertReached(Map<String, Long> map, String key, long count, boolean evicts) {
    Long found = map.get(key);
    boolean isRemoved = count % KEYS % REMOVED_KEY_OF == 0;
    assertTrue(
        found == null ? evicts || isRemoved : found >= count + (isRemoved ? 1 : 0),
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
      Durability durability, int bound, int kill, Map<String, Long> acknowledged)
      throws IOException, InterruptedException {
    long base = newestBase();
    KilledProcess.run(
        Child.class,
        List.of(folder.toString(), durability.name(), "" + bound, "" + kill * 1_000_000_000L),
        line -> {
          int after = line - ACKNOWLEDGEMENTS_BEFORE_KILL - 100 * (kill % 8);
          return after >= 0 && after % 50 == 0 && newestBase() > base;
        },
        (key, count) -> acknowledged.merge(key, count, Math::max));
  }

  /** The process that is killed: each of its writers counts, and reports what is acknowledged. */
  static final class Child {
    private Child() {}

    public static void main(String[] args) {
      Pensieve<String, Long> map =
          open(Path.of(args[0]), Durability.valueOf(args[1]), Integer.parseInt(args[2]));
      long first = Long.parseLong(args[3]);
      for (int writer = 0; writer < WRITERS; writer++) {
        String name = "w" + writer + "-";
        new Thread(() -> write(map, name, first)).start();
      }
    }

    private static void write(Map<String, Long> map, String name, long first) {
      for (long count = first; ; count++) {
        String key = name + count % KEYS;
        map.put(key, count);
        if (count % KEYS % REMOVED_KEY_OF == 0) {
          map.remove(key);
        }
        System.out.println(key + " " + count + " .");
      }
    }
  }
}
