package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Durability;
import io.pensieve.log.LiveEntries;
import io.pensieve.log.LogException;
import io.pensieve.log.LogStatistics;
import io.pensieve.log.file.SimulatedLog.Event;
import io.pensieve.testing.Depth;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Compactions on a simulated disk: what they leave, what they cost, what becomes of broken ones.
 */
@Tag(Depth.TAG)
class CompactionTest {
  private final List<Event> history = new ArrayList<>();

  private SimulatedLog openLog(Durability durability) {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), durability);
    log.open();
    return log;
  }

  private void putAll(SimulatedLog log, int count, int valueBytes) {
    for (int i = 0; i < count; i++) {
      history.add(log.append(new Change.Put<>("k" + i % 7, i + "x".repeat(valueBytes))));
    }
    log.step();
  }

  private static long count(SimulatedDisk disk, String suffix) {
    return disk.contents().keySet().stream().filter(n -> n.toString().endsWith(suffix)).count();
  }

  @ParameterizedTest
  @EnumSource
  void aCompactedLogTellsEntriesWithTheirVersionsAndOrderAndHasNoOlderFiles(Durability durability) {
    SimulatedLog log = openLog(durability);
    putAll(log, 40, 100);
    log.append(new Change.Touch<>("k3"));
    assertTrue(count(log.disk, ".log") > 3);
    log.compact();
    assertEquals(1, count(log.disk, ".base"));
    assertEquals(1, count(log.disk, ".log"), "the segment that is being written");
    List<LiveEntries.LiveEntry<String, String>> before = log.map().coldestFirst();
    log.close();
    Replayed replayed = log.openReplayed();
    assertEquals(before, replayed.fold().coldestFirst());
    assertEquals(List.of(), replayed.events());
    assertTrue(log.report().closedCleanly());
    assertEquals(7, log.report().changes());
  }

  @Test
  void aLogCompactsItselfWhenItIsAsLongAsItsEntriesAndNotBefore() {
    SimulatedLog log = openLog(Durability.POWER_CUT);
    putAll(log, 1, 100);
    assertFalse(log.compactStep());
    putAll(log, 20, 100);
    while (log.compactStep()) {
      log.step();
    }
    assertEquals(1, count(log.disk, ".base"));
    long first = log.disk.newestBase(SimulatedLog.FOLDER);
    assertFalse(log.compactStep());
    assertEquals(first, log.disk.newestBase(SimulatedLog.FOLDER));
  }

  @Test
  void aLogTellsWhatItHasDoneAndHowItStands() {
    SimulatedLog log = openLog(Durability.POWER_CUT);
    assertEquals(0, log.log().statistics().appendedBytes());
    long frames = 3L * Format.align(Format.FRAME_HEADER_BYTES + 2 + 101);
    for (int i = 0; i < 3; i++) {
      log.append(new Change.Put<>("k" + i, "x".repeat(101), Change.NEVER));
    }
    LogStatistics appended = log.log().statistics();
    assertEquals(frames, appended.appendedBytes());
    assertEquals(frames, appended.waitingBytes());
    assertEquals(frames, appended.logBytes());
    assertEquals(0, appended.baseBytes() + appended.forces() + appended.compactions());
    log.compact();
    LogStatistics compacted = log.log().statistics();
    assertEquals(frames, compacted.baseBytes());
    assertEquals(0, compacted.logBytes() + compacted.waitingBytes());
    assertEquals(frames, compacted.appendedBytes());
    assertEquals(1, compacted.compactions());
    assertTrue(compacted.forces() > 0 && !compacted.lastCompaction().isZero());
  }

  @Test
  void statisticsHaveTheTimesOfForces() {
    SimulatedLog log = openLog(Durability.POWER_CUT);
    assertEquals(Duration.ZERO, log.log().statistics().longestForce());
    for (long millis : new long[] {3, 8, 5}) {
      log.disk.watch(
          operation -> {
            if (operation.startsWith("force ")) {
              log.nanos += Duration.ofMillis(millis).toNanos();
            }
          });
      log.append(new Change.Put<>("k", "v", Change.NEVER));
      log.step();
    }
    LogStatistics statistics = log.log().statistics();
    assertEquals(3, statistics.forces());
    assertEquals(Duration.ofMillis(16), statistics.forceTime());
    assertEquals(Duration.ofMillis(8), statistics.longestForce());
  }

  @Test
  void theFolderStaysBoundedOverManyOverwrites() {
    SimulatedLog log = openLog(Durability.POWER_CUT);
    Random random = new Random(3);
    int live = 50 * Format.align(Format.FRAME_HEADER_BYTES + 3 + 200);
    long overhead =
        4L * (SimulatedLog.SEGMENT_BYTES + FileHeader.BYTES)
            + 4L * FileHeader.BYTES
            + SimulatedLog.RING_BYTES;
    long appended = 0;
    for (int i = 0; i < 5000; i++) {
      String key = "" + (100 + random.nextInt(50));
      appended = log.append(new Change.Put<>(key, "x".repeat(200))).sequence();
      log.compactStep();
      log.step();
      // Base, as much of log, new base; every segment has a page of header.
      long bound = 3L * live + 2L * live * FileHeader.BYTES / SimulatedLog.SEGMENT_BYTES;
      long bytes = log.disk.bytes();
      assertTrue(bytes <= bound + overhead, () -> "the folder has " + bytes);
    }
    assertTrue(appended > 50L * live, "an overwrite is many times the entries");
  }

  @Test
  void whenTheMapIsBeingClosedNoBaseIsPutInPlace() {
    SimulatedLog log = openLog(Durability.POWER_CUT);
    putAll(log, 10, 10);
    CompletableFuture<Void> done = log.requestCompaction();
    log.map().close();
    for (int i = 0; i < 20; i++) {
      log.compactStep();
      log.step();
    }
    assertFalse(done.isDone());
    log.close();
    assertTrue(done.isCompletedExceptionally());
    assertEquals(0, count(log.disk, ".base") + count(log.disk, "base.tmp"));
    assertEquals(history, log.open());
  }

  @Test
  void aCloseInTheMidstOfACompactionLeavesTheOldHistory() {
    SimulatedLog log = openLog(Durability.POWER_CUT);
    putAll(log, 30, 200);
    CompletableFuture<Void> done = log.requestCompaction();
    log.compactStep();
    log.compactStep();
    assertEquals(1, count(log.disk, "base.tmp"));
    log.close();
    assertTrue(done.isCompletedExceptionally());
    assertEquals(0, count(log.disk, "base.tmp"));
    assertEquals(history, log.open());
    assertThrows(IllegalStateException.class, () -> closed(log).requestCompaction());
  }

  private static SimulatedLog closed(SimulatedLog log) {
    log.close();
    return log;
  }

  @Test
  void aBaseThatCannotBeWrittenIsNoHarmToTheLogAndTriedAgainLater() {
    int operations = operationsOfACompaction();
    assertTrue(operations > 8, "" + operations);
    int inDoubt = 0;
    for (int fault = 0; fault < operations; fault++) {
      SimulatedLog log = openLog(Durability.POWER_CUT);
      putAll(log, 12, 100);
      CompletableFuture<Void> refused = log.requestCompaction();
      log.disk.failAfter(fault, false);
      runCompaction(log, refused);
      String context = "fault at operation " + fault;
      assertTrue(refused.isCompletedExceptionally(), context);
      assertEquals(0, count(log.disk, "base.tmp"), context);
      log.disk.heal();
      log.step();
      inDoubt += goesOn(log) ? 0 : 1;
      log.disk.killProcess();
      log.reopen(12, context);
    }
    assertEquals(1, inDoubt, "the force of the folder alone");
  }

  // A failed force of the folder may hide that the log's own files have lost their names.
  private static boolean goesOn(SimulatedLog log) {
    try {
      log.append(new Change.Put<>("after", "1"));
      log.compact();
      return true;
    } catch (LogException.Failed inDoubt) {
      assertTrue(String.valueOf(inDoubt.getMessage()).contains("force directory"));
      return false;
    }
  }

  private int operationsOfACompaction() {
    SimulatedLog log = openLog(Durability.POWER_CUT);
    putAll(log, 12, 100);
    int before = log.disk.operations();
    CompletableFuture<Void> done = log.requestCompaction();
    runCompaction(log, done);
    assertFalse(done.isCompletedExceptionally());
    return log.disk.operations() - before;
  }

  private static void runCompaction(SimulatedLog log, CompletableFuture<Void> done) {
    for (int i = 0; i < 100 && !done.isDone(); i++) {
      log.compactStep();
    }
  }

  @Test
  void aCompactionThatFailsAgainAndAgainIsTriedLessAndLessOften() {
    SimulatedLog log = openLog(Durability.POWER_CUT);
    putAll(log, 40, 100);
    log.disk.failAfter(0, true);
    List<Integer> attempts = new ArrayList<>();
    int before = log.disk.operations();
    for (int step = 0; step < 2000; step++) {
      log.compactStep();
      if (log.disk.operations() > before) {
        attempts.add(step);
        before = log.disk.operations();
      }
    }
    assertTrue(attempts.size() > 3 && attempts.size() < 12, attempts.toString());
    for (int i = 2; i < attempts.size(); i++) {
      int pause = attempts.get(i) - attempts.get(i - 1);
      assertTrue(pause > 3 * (attempts.get(i - 1) - attempts.get(i - 2)) / 2, attempts.toString());
    }
  }

  @Test
  void aFullDiskRefusesABaseAndNothingIsLeftOfIt() {
    SimulatedLog log = openLog(Durability.POWER_CUT);
    putAll(log, 10, 10);
    log.disk.usableBytes(500); // half of the low-water mark, and less
    CompletableFuture<Void> refused = log.requestCompaction();
    runCompaction(log, refused);
    assertTrue(refused.isCompletedExceptionally());
    assertEquals(0, count(log.disk, "base.tmp"));
    log.disk.usableBytes(1 << 20);
    log.step();
    log.step();
    log.compact();
  }

  private Map<Path, byte[]> compactedLog() {
    SimulatedLog log = openLog(Durability.POWER_CUT);
    putAll(log, 10, 20);
    log.compact();
    for (int i = 0; i < 3; i++) {
      history.add(log.append(new Change.Put<>("k" + i, "later")));
    }
    log.step();
    log.disk.killProcess();
    return log.disk.contents();
  }

  private static Path base(Map<Path, byte[]> files) {
    return files.keySet().stream()
        .filter(name -> name.toString().endsWith(".base"))
        .findAny()
        .orElseThrow();
  }

  @Test
  void anyFlippedBitOfABaseIsRefused() throws IOException {
    Map<Path, byte[]> files = compactedLog();
    assertEquals(history.size(), survivors(files), "undamaged");
    byte[] bytes = files.getOrDefault(base(files), new byte[0]);
    for (int bit = 0; bit < bytes.length * 8; bit += Depth.of(9, 1, 1)) {
      boolean isUnused = bit >= 64 * 8 && bit < FileHeader.BYTES * 8;
      if (isUnused || isAlignment(bytes, bit / 8)) {
        continue;
      }
      bytes[bit / 8] ^= (byte) (1 << (bit % 8));
      assertThrows(LogException.Corrupt.class, () -> survivors(files), "bit " + bit);
      bytes[bit / 8] ^= (byte) (1 << (bit % 8));
    }
  }

  // The zeros behind a frame mean nothing.
  private static boolean isAlignment(byte[] bytes, int offset) {
    int frame = FileHeader.BYTES;
    while (offset >= frame + Format.align(Format.length(bytes, frame))) {
      frame += Format.align(Format.length(bytes, frame));
    }
    return offset >= FileHeader.BYTES && offset >= frame + Format.length(bytes, frame);
  }

  @Test
  void anyTruncationOfABaseIsRefused() {
    Map<Path, byte[]> files = compactedLog();
    Path base = base(files);
    byte[] whole = files.getOrDefault(base, new byte[0]);
    for (int length = 0; length < whole.length; length++) {
      Map<Path, byte[]> cut = new HashMap<>(files);
      cut.put(base, Arrays.copyOf(whole, length));
      assertThrows(LogException.Corrupt.class, () -> survivors(cut), "cut to " + length);
    }
  }

  @Test
  void aLogThatEndsBeforeItsBaseDidIsRefused() {
    Map<Path, byte[]> files = compactedLog();
    Map<Path, byte[]> baseAlone = new HashMap<>();
    baseAlone.put(base(files), files.getOrDefault(base(files), new byte[0]));
    assertThrows(LogException.Corrupt.class, () -> survivors(baseAlone));
  }

  private int survivors(Map<Path, byte[]> files) throws IOException {
    SimulatedDisk disk = SimulatedDisk.of(files);
    return SimulatedLog.assertPrefix(SimulatedLog.readTwice(disk), history, disk, "damaged");
  }
}
