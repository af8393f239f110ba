package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Durability;
import io.pensieve.log.LiveEntries;
import io.pensieve.log.LogException;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Folders of valid logs, mutated (checksums are made right again where that lets a mutation in): a
 * log is opened, or refused with a {@link LogException}; nothing else, and cheaply.
 */
@Tag(Depth.TAG)
class ReaderFuzzTest {
  private static final int CASES = Depth.of(500, 10_000, 1_500_000);
  private static final int ALLOCATED_BYTES_MAX = 8 << 20;

  private int opened;
  private int refused;

  @Test
  void anyMutatedFolderIsOpenedOrRefused() throws Exception {
    long seed = Seed.printed(ReaderFuzzTest.class);
    Random random = new Random(seed);
    List<Map<Path, byte[]>> logs = logs(random);
    for (int i = 0; i < CASES; i++) {
      Map<Path, byte[]> files = new TreeMap<>(logs.get(random.nextInt(logs.size())));
      List<String> mutations = new ArrayList<>();
      for (int more = random.nextInt(3); more >= 0; more--) {
        mutations.add(FolderMutation.mutate(files, random));
      }
      assertOpenedOrRefused(files, "seed " + seed + ", case " + i + ": " + mutations);
    }
    System.out.println("ReaderFuzzTest: opened " + opened + ", refused " + refused);
    assertTrue(opened > CASES / 20 && refused > CASES / 20);
  }

  private static List<Map<Path, byte[]>> logs(Random random) {
    List<Map<Path, byte[]>> logs = new ArrayList<>();
    for (Durability durability : Durability.values()) {
      for (int i = 0; i < 8; i++) {
        SimulatedLog log = new SimulatedLog(new SimulatedDisk(), durability).skipping(random);
        log.open();
        log.runScript(random, 20 + 10 * i);
        if (i % 3 == 0) {
          log.close();
        }
        log.disk.killProcess();
        logs.add(log.disk.contents());
      }
    }
    return logs;
  }

  private void assertOpenedOrRefused(Map<Path, byte[]> files, String context) throws Exception {
    long before = AllocatedBytes.ofThisThread();
    SimulatedLog log = new SimulatedLog(SimulatedDisk.of(files), Durability.PROCESS_DEATH);
    try {
      List<LiveEntries.LiveEntry<String, String>> told = log.openReplayed().fold().coldestFirst();
      log.disk.killProcess();
      assertEquals(told, log.openReplayed().fold().coldestFirst(), context);
      opened++;
    } catch (LogException damaged) {
      assertTrue(String.valueOf(damaged.getMessage()).contains("log"), context);
      refused++;
    } catch (RuntimeException | Error unforeseen) {
      throw new AssertionError(context, unforeseen);
    }
    long allocated = AllocatedBytes.ofThisThread() - before;
    assertTrue(allocated < ALLOCATED_BYTES_MAX, () -> context + ": allocated " + allocated);
  }
}
