package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.file.SimulatedLog.Event;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Backups on a simulated disk, while the log is written, and what is left of broken ones. */
@Tag(Depth.TAG)
class BackupJobTest {
  private static final int BIT_STEP =
      Depth.of(35, 3, 1); // from one damage to the next; in each byte
  private static final Path TARGET = Path.of("backup");

  static LongStream seeds() {
    return Seed.first(Depth.of(1, 3, 3));
  }

  static LongStream manySeeds() {
    return Seed.first(Depth.of(6, 60, 600));
  }

  /** A log that is backed up while it is written, as a seed has it. */
  private static final class Script {
    private final SimulatedLog log;
    private final Random random;
    private final CompletableFuture<Void> done;
    private final int before; // how many changes there were when the backup was asked for
    private final int operationsBefore;

    Script(long seed, Durability durability) {
      random = new Random(seed);
      log = new SimulatedLog(new SimulatedDisk(), durability);
      log.open();
      for (int i = random.nextInt(30); i > 0; i--) {
        change();
      }
      if (random.nextBoolean()) {
        log.compact();
      }
      for (int i = random.nextInt(10); i > 0; i--) {
        change();
      }
      before = log.historySize();
      operationsBefore = log.disk.operations();
      done = log.requestBackup(TARGET);
    }

    private void change() {
      String key = "k" + random.nextInt(12);
      log.append(
          switch (random.nextInt(6)) {
            case 0 -> new Change.Remove<>(key);
            case 1 -> new Change.Touch<>(key);
            default -> new Change.Put<>(key, "v".repeat(random.nextInt(500)));
          });
    }

    void run() {
      for (int i = 0; i < 200 && !done.isDone(); i++) {
        if (random.nextInt(3) == 0) {
          change();
        }
        log.compactStep();
        if (random.nextInt(3) == 0) {
          log.step();
        }
      }
    }

    int operations() {
      return log.disk.operations() - operationsBefore;
    }

    void assertBackupHoldsAllFromBefore(List<Event> history, String context) throws IOException {
      Replayed replayed = SimulatedLog.read(log.disk, TARGET);
      long base = log.disk.newestBase(TARGET);
      int changes = SimulatedLog.assertPrefix(replayed, base, history, context);
      assertTrue(changes >= before, () -> context + ": " + changes + " of " + before);
    }
  }

  @ParameterizedTest
  @MethodSource("manySeeds")
  void aBackupOpensAndHoldsAPrefixWithEverythingFromBeforeTheCall(long seed) throws IOException {
    for (Durability durability : Durability.values()) {
      Script script = new Script(seed, durability);
      script.run();
      script.done.join();
      String context = "seed " + seed + ", " + durability;
      script.assertBackupHoldsAllFromBefore(script.log.history(), context);
      script.log.disk.cutPower(script.random);
      script.assertBackupHoldsAllFromBefore(script.log.history(), context + ", after a power cut");
    }
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void aCrashAfterAnyOperationLeavesTheSourceUnharmedAndNoBackupThatOpensWithLess(long seed)
      throws IOException {
    for (Durability durability : Durability.values()) {
      Script whole = new Script(seed, durability);
      whole.run();
      assertTrue(whole.operations() > 15, "a backup that does something");
      for (int stop = 0; stop <= whole.operations(); stop++) {
        crash(seed, durability, stop, false);
        crash(seed, durability, stop, true);
      }
    }
  }

  private static void crash(long seed, Durability durability, int stop, boolean powerCut)
      throws IOException {
    String context = "seed " + seed + ", " + durability + ", operation " + stop + ", " + powerCut;
    Script script = new Script(seed, durability);
    SimulatedLog log = script.log;
    log.disk.stopAfter(stop);
    try {
      script.run();
    } catch (LogException stopped) {
      assertTrue(log.disk.hasStopped(), () -> context + ": " + stopped);
    }
    boolean isDone = script.done.isDone() && !script.done.isCompletedExceptionally();
    int mustSurvive = powerCut ? log.acknowledged() : log.historySize();
    List<Event> history = List.copyOf(log.history());
    if (powerCut) {
      log.disk.cutPower(script.random);
    } else {
      log.disk.killProcess();
    }
    if (isWholeOrRefused(script, history, context)) {
      assertTrue(isDone || stop > 10, () -> context + ": whole before anything was written");
    } else {
      assertFalse(isDone, context);
    }
    log.reopen(mustSurvive, context);
  }

  /** Whether the backup opens; then it holds all. */
  private static boolean isWholeOrRefused(Script script, List<Event> history, String context)
      throws IOException {
    LogDirectory target = new LogDirectory(script.log.disk, TARGET);
    if (!target.holdsLog()) {
      assertEquals(List.of(), namesButLock(script), context);
      return false;
    }
    try {
      script.assertBackupHoldsAllFromBefore(history, context);
      return true;
    } catch (LogException.Corrupt refused) {
      assertTrue(refused.toString().contains("finished"), () -> context + ": " + refused);
      return false;
    }
  }

  @ParameterizedTest
  @EnumSource
  void aFaultAtAnyOperationFailsTheBackupAloneAndLeavesNothingOfIt(Durability durability)
      throws IOException {
    Script whole = new Script(1, durability);
    whole.run();
    for (int fault = 0; fault < whole.operations(); fault++) {
      String context = durability + ", fault at " + fault;
      Script script = new Script(1, durability);
      script.log.disk.failAfter(fault, false);
      boolean logFailed = false;
      try {
        script.run();
      } catch (LogException.Failed itWasTheLogsOperation) {
        logFailed = true;
      }
      runOn(script);
      assertTrue(script.done.isDone(), context);
      if (script.done.isCompletedExceptionally()) {
        assertEquals(List.of(), namesButLock(script), context);
      } else {
        script.assertBackupHoldsAllFromBefore(script.log.history(), context);
      }
      if (!logFailed && goesOn(script.log)) {
        CompletableFuture<Void> again = script.log.requestBackup(Path.of("again"));
        runOn(script, again);
        again.join();
      }
      script.log.disk.killProcess();
      script.log.reopen(script.log.historySize(), context);
    }
  }

  private static boolean goesOn(SimulatedLog log) {
    try {
      log.append(new Change.Put<>("after", "1"));
      return true;
    } catch (LogException.Failed itWasTheLogsOperation) {
      return false;
    }
  }

  private static List<String> namesButLock(Script script) throws IOException {
    return script.log.disk.list(TARGET).stream().filter(name -> !name.equals("LOCK")).toList();
  }

  private static void runOn(Script script) {
    runOn(script, script.done);
  }

  private static void runOn(Script script, CompletableFuture<Void> done) {
    for (int i = 0; i < 200 && !done.isDone(); i++) {
      script.log.compactStep();
      script.log.step();
    }
  }

  @Test
  void whenTheDiskFailsForGoodWhatIsLeftOfABackupIsRefused() throws IOException {
    Script whole = new Script(2, Durability.POWER_CUT);
    whole.run();
    for (int fault = 0; fault < whole.operations(); fault++) {
      Script script = new Script(2, Durability.POWER_CUT);
      script.log.disk.failAfter(fault, true);
      try {
        script.run();
      } catch (LogException.Failed itWasTheLogsOperation) {
        runOn(script);
      }
      List<Event> history = List.copyOf(script.log.history());
      script.log.disk.killProcess();
      isWholeOrRefused(script, history, "fault at " + fault);
    }
  }

  @Test
  void aFolderThatHoldsAnythingIsRefusedAndKeepsIt() throws IOException {
    Script script = new Script(1, Durability.PROCESS_DEATH);
    script.run();
    script.done.join();
    Map<Path, byte[]> before = script.log.disk.contents();
    CompletableFuture<Void> again = script.log.requestBackup(TARGET);
    runOn(script, again);
    CompletionException refused = assertThrows(CompletionException.class, again::join);
    assertInstanceOf(IllegalArgumentException.class, refused.getCause());
    before.keySet().removeIf(name -> !name.startsWith(TARGET));
    Map<Path, byte[]> after = new HashMap<>(script.log.disk.contents());
    after.keySet().retainAll(before.keySet());
    assertEquals(before.keySet(), after.keySet());
    script.assertBackupHoldsAllFromBefore(script.log.history(), "refused");
  }

  @Test
  void aCloseEndsABackupAtOnceAndNothingIsLeftOfIt() throws IOException {
    Script whole = new Script(3, Durability.POWER_CUT);
    whole.run();
    for (int steps = 0; steps < 8; steps++) {
      Script script = new Script(3, Durability.POWER_CUT);
      for (int i = 0; i < steps && !script.done.isDone(); i++) {
        script.log.compactStep();
        script.log.step();
      }
      boolean wasDone = script.done.isDone();
      script.log.close();
      assertTrue(script.done.isDone());
      assertEquals(!wasDone, script.done.isCompletedExceptionally());
      assertEquals(!wasDone, namesButLock(script).isEmpty());
      assertThrows(IllegalStateException.class, () -> script.log.requestBackup(Path.of("late")));
    }
  }

  @Test
  void anyFlippedBitOfABackupIsRefused() throws IOException {
    Script script = new Script(1, Durability.PROCESS_DEATH);
    script.run();
    script.done.join();
    Map<Path, byte[]> files = new TreeMap<>(script.log.disk.contents());
    files.keySet().removeIf(name -> !name.startsWith(TARGET));
    int sound = 0;
    for (Map.Entry<Path, byte[]> file : files.entrySet()) {
      byte[] bytes = file.getValue();
      for (int bit = 0; bit < bytes.length * 8; bit += BIT_STEP) {
        if (bit / 8 >= 64 && bit / 8 < FileHeader.BYTES) {
          continue; // zeros that mean nothing
        }
        bytes[bit / 8] ^= (byte) (1 << (bit % 8));
        sound += isSound(files) ? 1 : 0;
        bytes[bit / 8] ^= (byte) (1 << (bit % 8));
      }
    }
    // The zeros that align a frame mean nothing, too.
    assertTrue(sound < files.values().stream().mapToInt(b -> b.length).sum() / 20, "" + sound);
    assertTrue(isSound(files));
  }

  private static boolean isSound(Map<Path, byte[]> files) throws IOException {
    try {
      SimulatedLog.read(SimulatedDisk.of(files), TARGET);
      return true;
    } catch (LogException.Corrupt refused) {
      return false;
    }
  }
}
