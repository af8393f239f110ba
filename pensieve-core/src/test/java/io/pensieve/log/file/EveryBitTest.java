package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.file.SimulatedLog.Event;
import io.pensieve.testing.Depth;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A log (base, segments and ring, of a process that was killed) with each of its bits flipped, and
 * each of its files cut to every length, replays all that was acknowledged, or is refused. The work
 * grows with the square of the log: a part of 8 KiB in every build, every third bit of 64 KiB with
 * {@code -Pci}, and all of them with {@code -Pdeep}.
 */
@Tag(Depth.TAG)
class EveryBitTest {
  private static final int LOG_BYTES = Depth.of(8 << 10, 64 << 10, 64 << 10);
  private static final int SEGMENT_BYTES = Depth.of(1 << 10, 8 << 10, 8 << 10);
  private static final int LONGEST_PART = Depth.of(10, 150, 150); // a value has up to 11 parts
  private static final int ROUNDS_MIN = 14; // it is compacted after the eighth
  private static final int THREADS = 2;

  // From one damage to the next. Odd, so that every bit of a byte has its turn.
  private static final int BITS = Depth.of(11, 3, 1);
  private static final int LENGTHS = Depth.of(3, 1, 1);

  // Threads take longer than such a log. Odd, so that every bit of a byte has its turn.
  private static final int READS_TWICE = 301;

  // Not the common pool, which may have one thread only.
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

  @AfterEach
  void endThreads() {
    threads.shutdownNow();
  }

  /** A log as it was found, and what it must tell. */
  private static final class KilledLog {
    private final Map<Path, byte[]> files;
    private final List<Event> history;
    private final Set<Long> goesOn;
    private final int mustSurvive;
    private int harmless;
    private int refused;

    private KilledLog(
        Map<Path, byte[]> files, List<Event> history, Set<Long> goesOn, int mustSurvive) {
      this.files = files;
      this.history = history;
      this.goesOn = goesOn;
      this.mustSurvive = mustSurvive;
    }

    static KilledLog of(Durability durability) {
      SimulatedLog log = new SimulatedLog(new SimulatedDisk(), durability, SEGMENT_BYTES);
      log.open();
      fill(log, new Random(1), bytesMin(durability));
      log.disk.killProcess();
      boolean isAppendEnough = durability == Durability.PROCESS_DEATH;
      int mustSurvive = isAppendEnough ? log.historySize() : log.acknowledged();
      assertTrue(mustSurvive > log.historySize() - 5 && log.historySize() > 10);
      Map<Path, byte[]> files = new TreeMap<>(log.disk.contents());
      files.keySet().removeIf(name -> name.toString().endsWith(".tmp"));
      assertTrue(files.keySet().stream().anyMatch(name -> name.toString().endsWith(".base")));
      return new KilledLog(files, List.copyOf(log.history()), log.goesOn(), mustSurvive);
    }

    // As much as makes a base, whole segments, one in use, and a ring with frames.
    private static void fill(SimulatedLog log, Random random, int bytes) {
      for (int i = 0; i < ROUNDS_MIN || log.disk.bytes() < bytes; i++) {
        String value = "v".repeat(random.nextInt(LONGEST_PART) * random.nextInt(12));
        log.append(new Change.Put<>("k" + random.nextInt(20), value + i));
        log.append(new Change.Touch<>("k" + random.nextInt(20)));
        log.append(new Change.Remove<>("k" + random.nextInt(20)));
        if (i % 4 == 0) {
          log.appendAtomically(SimulatedLog.group(random, i));
        }
        log.step();
        if (i == 8) {
          log.compact();
        }
      }
      log.step();
      log.append(new Change.Put<>("k0", "in the ring alone"));
      log.append(new Change.Put<>("k1", "and another"));
      log.appendAtomically(List.of(new Change.Put<>("k2", "and two"), new Change.Remove<>("k3")));
    }

    KilledLog copy() {
      Map<Path, byte[]> copies = new TreeMap<>();
      files.forEach((name, bytes) -> copies.put(name, bytes.clone()));
      return new KilledLog(copies, history, goesOn, mustSurvive);
    }

    void assertToldOrRefused(Map<Path, byte[]> damaged, String what) {
      try {
        SimulatedDisk disk = SimulatedDisk.of(damaged);
        boolean twice = (harmless + refused) % READS_TWICE == 0;
        Replayed replayed = twice ? SimulatedLog.readTwice(disk) : SimulatedLog.read(disk);
        int survivors = SimulatedLog.assertPrefix(replayed, history, disk, what);
        assertTrue(survivors >= mustSurvive, () -> what + ": told " + survivors);
        SimulatedLog.assertWholeGroups(history.subList(0, survivors), goesOn, what);
        harmless++;
      } catch (LogException.Corrupt refusal) {
        assertTrue(String.valueOf(refusal.getMessage()).contains("expected"), what);
        refused++;
      } catch (IOException impossible) {
        throw new AssertionError(what, impossible);
      }
    }

    void flipBits(int part) {
      files.forEach(
          (name, bytes) -> {
            for (int bit = part * BITS; bit < bytes.length * Byte.SIZE; bit += THREADS * BITS) {
              bytes[bit / Byte.SIZE] ^= (byte) (1 << (bit % Byte.SIZE));
              assertToldOrRefused(files, "bit " + bit + " of " + name);
              bytes[bit / Byte.SIZE] ^= (byte) (1 << (bit % Byte.SIZE));
            }
          });
    }

    void cut(int part) {
      Map<Path, byte[]> cut = new HashMap<>(files);
      files.forEach(
          (name, bytes) -> {
            for (int length = part * LENGTHS; length < bytes.length; length += THREADS * LENGTHS) {
              cut.put(name, Arrays.copyOf(bytes, length));
              assertToldOrRefused(cut, name + " cut to " + length);
            }
            cut.put(name, bytes);
          });
    }

    /** How many there are in all files, of so many a byte, if in each file every n-th counts. */
    int count(int aByte, int nth) {
      return files.values().stream()
          .mapToInt(bytes -> (bytes.length * aByte + nth - 1) / nth)
          .sum();
    }

    int bytes() {
      return files.values().stream().mapToInt(bytes -> bytes.length).sum();
    }
  }

  private interface Damage {
    void damage(KilledLog log, int part);
  }

  /** Does all of it to copies, and answers whether nothing was left out. */
  private boolean damage(KilledLog log, Damage damage, int count) throws Exception {
    KilledLog first = log.copy();
    KilledLog second = log.copy();
    Future<?> firstDone = threads.submit(() -> damage.damage(first, 0));
    Future<?> secondDone = threads.submit(() -> damage.damage(second, 1));
    firstDone.get();
    secondDone.get();
    int harmless = first.harmless + second.harmless;
    int refused = first.refused + second.refused;
    System.out.println("EveryBitTest: harmless " + harmless + ", refused " + refused);
    return harmless + refused == count;
  }

  // A spare segment, which is not damaged, counts too.
  private static int bytesMin(Durability durability) {
    return durability == Durability.PROCESS_DEATH
        ? LOG_BYTES
        : Depth.of(LOG_BYTES, LOG_BYTES * 3 / 4, LOG_BYTES * 5 / 4);
  }

  @ParameterizedTest
  @EnumSource
  void anyFlippedBitIsHarmlessOrRefused(Durability durability) throws Exception {
    KilledLog log = KilledLog.of(durability);
    long bytesMin = durability == Durability.POWER_CUT ? 0 : LOG_BYTES * 3L / 4;
    assertTrue(log.bytes() >= bytesMin, () -> "only " + log.bytes() + " bytes to damage");
    assertTrue(damage(log, KilledLog::flipBits, log.count(Byte.SIZE, BITS)));
  }

  @ParameterizedTest
  @EnumSource
  void anyTruncationIsHarmlessOrRefused(Durability durability) throws Exception {
    KilledLog log = KilledLog.of(durability);
    assertTrue(damage(log, KilledLog::cut, log.count(1, LENGTHS)));
  }
}
