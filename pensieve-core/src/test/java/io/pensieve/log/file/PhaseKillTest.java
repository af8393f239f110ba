package io.pensieve.log.file;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.file.KillableMap.Phase;
import io.pensieve.log.file.KillableMap.Scarce;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real processes, killed by SIGKILL at a random instant of an opening, a compaction, a backup or a
 * closing, beside writers, some with a nearly full heap or on a nearly full disk.
 */
@SuppressWarnings({"EnumOrdinal", "try"}) // each phase in turn
@Tag(Depth.TAG)
class PhaseKillTest {
  private static final int LIVES = Depth.of(4, 10, 200); // of roomy and of nearly full heaps
  private static final int FULL_DISK_LIVES = Depth.of(2, 6, 120);
  private static final int MORE_LIVES = 40; // until each phase was ended by a kill
  private static final int DISK_MEBIBYTES = 32;
  // What an opening may need of a full disk: a page, a tail that is not forced, a torn one's copy.
  private static final int RESERVE_BYTES = 6 << 20;
  private static final String RESERVE = "reserve";
  private static final int OCCURRENCES = 2; // of a phase, until it is ended
  private static final long HANG_SECONDS = 120;

  private final Path place;
  private final Random random;
  private final String seed;
  private final long[] acknowledged = new long[KillableMap.WRITERS * KillableMap.KEYS];
  private final Map<Phase, Long> nanos = new EnumMap<>(Phase.class); // how long it took last
  private final Map<Phase, Integer> ended = new EnumMap<>(Phase.class); // by a kill

  PhaseKillTest(@TempDir Path place) {
    this.place = place;
    long seed = Seed.printed(PhaseKillTest.class);
    this.random = new Random(seed);
    this.seed = ", -Dpensieve.seed=" + seed;
    Arrays.fill(acknowledged, -1);
  }

  @Test
  void nothingAcknowledgedIsMissingWhateverIsInterrupted() throws Exception {
    liveAndDie(place, LIVES, life -> life % 3 == 2 ? Scarce.HEAP : Scarce.NOTHING);
  }

  @Test
  void norOnANearlyFullDisk() throws Exception {
    Path disk = place.resolve("disk");
    try (SmallDisk mounted = SmallDisk.mount(disk, DISK_MEBIBYTES)) {
      assertNotNull(mounted);
      liveAndDie(disk, FULL_DISK_LIVES, life -> Scarce.DISK);
    }
  }

  /** What is scarce in a life. */
  private interface Scarcity {
    Scarce of(int life);
  }

  private void liveAndDie(Path on, int lives, Scarcity scarcity) throws Exception {
    int life = 0;
    for (; life < lives || ended.size() < Phase.values().length; life++) {
      assertTrue(life < lives + MORE_LIVES, "ended by a kill: " + ended);
      Session lived = new Session(on, life, scarcity.of(life));
      Files.write(on.resolve(RESERVE), new byte[RESERVE_BYTES]);
      lived.run();
      Files.delete(on.resolve(RESERVE));
      lived.checkBackups();
      checkLog(on, lived);
      Files.deleteIfExists(KillableMap.filler(on));
    }
    System.out.println("PhaseKillTest: " + life + " lives, ended in " + ended);
    assertTrue(Arrays.stream(acknowledged).filter(count -> count >= 0).count() > 0);
  }

  private void checkLog(Path on, Session lived) {
    FileLog<String, byte[]> log = KillableMap.log(KillableMap.log(on), lived.durability);
    try (Pensieve<String, byte[]> map = KillableMap.map(log)) {
      checkMap(map, acknowledged, lived + seed);
    }
  }

  private static void checkMap(Pensieve<String, byte[]> map, long[] acknowledged, String when) {
    for (int index = 0; index < acknowledged.length; index++) {
      byte[] value = map.get(KillableMap.key(index));
      if (acknowledged[index] >= 0) {
        assertNull(KillableMap.wrong(index, acknowledged[index], value), when);
      }
      if (value != null) {
        long count = KillableMap.count(value);
        assertEquals(index % KillableMap.KEYS, count % KillableMap.KEYS, when);
        assertTrue(Arrays.equals(KillableMap.value(count), value), () -> when + ": " + count);
      }
    }
  }

  /** A process, from its start to its death, as its parent sees it. */
  private final class Session {
    private final Path on;
    private final int number;
    private final Scarce scarce;
    private final Durability durability;
    private final Phase last; // in which it is to be killed
    private final int occurrence;
    private final Map<Long, long[]> backups = new HashMap<>(); // acknowledged when each began
    private final Set<Long> made = new HashSet<>();
    private long begun;
    private int begunOften; // the last phase
    private boolean isKilled;
    private boolean isInside; // the last phase

    Session(Path on, int number, Scarce scarce) {
      this.on = on;
      this.number = number;
      this.scarce = scarce;
      this.durability = Durability.values()[random.nextInt(2)];
      this.last = Phase.values()[number % Phase.values().length];
      this.occurrence = scarce == Scarce.HEAP ? 2 : 1 + random.nextInt(OCCURRENCES);
    }

    @Override
    public String toString() {
      return "life " + number + ", little " + scarce + ", " + durability + ", killed in " + last;
    }

    void run() throws IOException, InterruptedException {
      String heap = scarce == Scarce.HEAP ? 10 + random.nextInt(8) + "m" : "64m";
      Process child =
          KilledProcess.start(
              KillableMap.class,
              List.of("-ea", "-Xmx" + heap),
              List.of(on + "", durability + "", number + "", scarce + ""));
      AtomicBoolean isOver = new AtomicBoolean();
      Thread watch = new Thread(() -> killWhatHangs(child, isOver));
      watch.start();
      try (BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(child.getInputStream(), StandardCharsets.US_ASCII))) {
        String line = lines.readLine();
        while (line != null && line.endsWith(".")) {
          String[] words = line.split(" ", -1);
          accept(child, words[0], Long.parseLong(words[1]));
          line = lines.readLine();
        }
      } finally {
        isOver.set(true);
        LockSupport.unpark(watch);
        child.destroyForcibly();
        assertTrue(child.waitFor(2, TimeUnit.MINUTES));
        watch.join();
      }
      assertTrue(isKilled, () -> this + ": hung, or ended by itself: " + child.exitValue() + seed);
      if (isInside) {
        ended.merge(last, 1, Integer::sum);
      }
    }

    private void killWhatHangs(Process child, AtomicBoolean isOver) {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(HANG_SECONDS);
      while (!isOver.get() && System.nanoTime() - deadline < 0) {
        LockSupport.parkNanos(deadline - System.nanoTime());
      }
      if (!isOver.get()) {
        child.toHandle().destroyForcibly();
      }
    }

    private void accept(Process child, String word, long count) {
      if (word.startsWith("k")) {
        acknowledged[Integer.parseInt(word.substring(1))] = count;
      } else if (word.startsWith(KillableMap.BEGUN)) {
        begin(child, Phase.valueOf(word.substring(KillableMap.BEGUN.length())), count);
      } else if (word.startsWith(KillableMap.OVER)) {
        Phase over = Phase.valueOf(word.substring(KillableMap.OVER.length()));
        isInside &= over != last;
        if (!isKilled) {
          nanos.put(over, System.nanoTime() - begun);
        }
      } else {
        made.add(count);
      }
    }

    private void begin(Process child, Phase phase, long number) {
      if (phase == Phase.BACKUP) {
        backups.put(number, acknowledged.clone());
      }
      begun = System.nanoTime();
      if (!isKilled && phase == last && ++begunOften == occurrence) {
        LockSupport.parkNanos(
            (long) (random.nextDouble() * nanos.getOrDefault(phase, 10_000_000L)));
        child.toHandle().destroyForcibly(); // the process's own would close the pipe
        isKilled = true;
        isInside = true;
      }
    }

    void checkBackups() throws IOException {
      for (long backup : backups.keySet()) {
        Path folder = KillableMap.backup(on, backup);
        if (isSomethingIn(folder)) {
          checkBackup(folder, backup);
          delete(folder);
        }
      }
    }

    // Whole, or refused; refused only if the process has not told that it is made.
    private void checkBackup(Path folder, long backup) {
      String when = this + seed + ", backup " + backup;
      boolean isRefused = false;
      try (Pensieve<String, byte[]> map = KillableMap.map(KillableMap.log(folder, durability))) {
        checkMap(map, requireNonNull(backups.get(backup)), when);
      } catch (LogException.Corrupt unfinished) {
        isRefused = true;
        assertTrue(
            String.valueOf(unfinished.getMessage()).contains("unfinished"), when + unfinished);
      }
      assertTrue(!isRefused || !made.contains(backup), when);
    }

    private static boolean isSomethingIn(Path folder) throws IOException {
      if (!Files.isDirectory(folder)) {
        return false;
      }
      try (Stream<Path> files = Files.list(folder)) {
        return files.anyMatch(file -> !file.endsWith(FolderLock.NAME));
      }
    }

    private static void delete(Path folder) throws IOException {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }
}
