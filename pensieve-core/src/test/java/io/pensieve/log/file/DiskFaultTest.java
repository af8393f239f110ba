package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Disk operations that fail, and disks that are full. */
@Tag(Depth.TAG)
class DiskFaultTest {
  private static final int ACTIONS = Depth.of(12, 30, 30);
  private static final List<Failure> FAILURES =
      Stream.of(DiskFault.INPUT_OUTPUT_ERROR, DiskFault.NO_SPACE_LEFT, DiskFault.NO_PERMISSION)
          .flatMap(fault -> Stream.of(new Failure(fault, false), new Failure(fault, true)))
          .toList();
  private static final int FAILURES_OF_EACH = Depth.of(1, 2, 6); // operation; the seed draws which
  private static final int FAULTS_MIN = Depth.of(100, 600, 2000);

  static LongStream seeds() {
    return Seed.first(Depth.of(1, 2, 40));
  }

  /** How an operation fails: once, or it and all after it. */
  private record Failure(DiskFault fault, boolean isForGood) {}

  private int faults;
  private int refusals;

  @ParameterizedTest
  @MethodSource("seeds")
  void anyOperationThatFailsLosesNothingAcknowledged(long seed) {
    for (Durability durability : Durability.values()) {
      SimulatedLog whole = simulated(seed, durability);
      live(whole, seed, "without a fault");
      Random ways = new Random(seed);
      for (int at = 0; at < whole.disk.operations(); at++) {
        List<Failure> failures = new ArrayList<>(FAILURES);
        Collections.shuffle(failures, ways);
        for (Failure failure : failures.subList(0, FAILURES_OF_EACH)) {
          failAndReopen(seed, durability, at, failure);
        }
      }
    }
    assertTrue(faults > FAULTS_MIN, faults + " faults");
    assertTrue(refusals > 0 && refusals < faults / 20, refusals + " of " + faults + " refused");
  }

  private static SimulatedLog simulated(long seed, Durability durability) {
    return new SimulatedLog(new SimulatedDisk(), durability).skipping(new Random(seed));
  }

  /** Two lives: opened, used, compacted, killed; recovered, used and closed. */
  private static void live(SimulatedLog log, long seed, String context) {
    log.open();
    log.runScript(new Random(seed), ACTIONS);
    log.disk.endProcess();
    log.reopen(log.historySize(), context);
    log.runScript(new Random(seed + 1), ACTIONS / 2);
    log.close();
  }

  private void failAndReopen(long seed, Durability durability, int at, Failure failure) {
    String context = "seed " + seed + ", " + durability + ", fails at " + at + ", " + failure;
    SimulatedLog log = simulated(seed, durability);
    log.disk.failAfter(at, failure.isForGood(), failure.fault());
    try {
      live(log, seed, context);
    } catch (LogException.Failed | LogException.Full refused) {
      assertTrue(log.disk.hasFailed(), () -> context + ": " + refused);
    }
    faults++;
    Random random = new Random(seed * 31 + at);
    SimulatedLog killed = log.onDisk(log.disk.copy());
    killed.disk.killProcess();
    reopenAndGoOn(killed, log.historySize(), random, context + ", killed");

    SimulatedLog cut = log.onDisk(log.disk.copy());
    cut.disk.cutPower(random);
    reopenAndGoOn(cut, log.acknowledged(), random, context + ", power cut");

    SimulatedLog dropped = log.onDisk(log.disk.copy());
    dropped.disk.killProcessAndDropPages(random);
    boolean isAppendEnough = durability == Durability.PROCESS_DEATH;
    int mustSurvive = isAppendEnough ? log.historySize() : log.acknowledged();
    try {
      reopenAndGoOn(dropped, mustSurvive, random, context + ", killed, pages dropped");
    } catch (LogException.Corrupt refused) {
      assertTrue(isAppendEnough, () -> context + ": " + refused);
      refusals++;
    }
  }

  // The failed log stays in memory; its folder is opened again when the disk works.
  private static void reopenAndGoOn(
      SimulatedLog log, int mustSurvive, Random random, String context) {
    log.reopen(mustSurvive, context);
    log.runScript(random, 5);
    log.disk.killProcess();
    log.reopen(log.historySize(), context + ", and again");
  }

  @Test
  void aFailedForceIsFinalForWaitersAndForLaterAppends() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);
    log.open();
    long sequence = log.append(new Change.Put<>("a", "1")).sequence();
    CompletableFuture<Void> acknowledged = log.log().whenDurable(sequence);
    assertFalse(acknowledged.isDone());
    assertTrue(log.log().statistics().failure().isEmpty());
    log.disk.failAfter(1, false); // the write succeeds, the force after it fails
    log.step();
    assertTrue(log.log().statistics().failure().isPresent());

    CompletionException failed = assertThrows(CompletionException.class, acknowledged::join);
    assertTrue(failed.getCause() instanceof LogException.Failed);
    assertThrows(LogException.Failed.class, () -> log.log().awaitDurable(sequence));
    assertThrows(LogException.Failed.class, () -> log.append(new Change.Put<>("b", "2")));
    assertThrows(LogException.Failed.class, log::close);
    assertTrue(log.log().durableSequence() < sequence);
  }

  @Test
  void aFolderWithoutPermissionIsRefusedAndNamed() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);
    log.disk.failAfter(0, true, DiskFault.NO_PERMISSION);
    LogException.Failed refused = assertThrows(LogException.Failed.class, log::open);
    assertTrue(refused.toString().contains("no permission for"), refused.toString());
  }

  @Test
  void aLogOnAFullDiskRefusesPutsTakesRemovalsAndGoesOnWhenThereIsRoom() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH);
    log.open();
    log.append(new Change.Put<>("a", "1"));
    log.step();
    log.disk.usableBytes(1000);
    log.step(); // looks for room every 100 ms
    log.step();
    assertThrows(LogException.Full.class, () -> log.append(new Change.Put<>("b", "2")));
    String refusal = log.log().statistics().refusal().orElseThrow();
    assertTrue(refusal.contains("1000 bytes is below the reserve of 1024 bytes"), refusal);
    assertEquals(1000, log.log().statistics().freeBytes());
    log.append(new Change.Remove<>("a"));
    log.disk.usableBytes(1 << 20);
    log.step();
    log.step();
    assertEquals(Optional.empty(), log.log().statistics().refusal());
    log.append(new Change.Put<>("c", "3"));
    log.disk.killProcess();
    log.reopen(3, "after a full disk");
  }

  @Test
  void onASmallVolumeLessIsKeptFree() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH);
    log.disk.totalBytes(8 << 10);
    log.open();
    log.disk.usableBytes(513);
    log.step();
    log.step();
    log.append(new Change.Put<>("a", "1"));
    log.disk.usableBytes(511);
    log.step();
    log.step();
    assertThrows(LogException.Full.class, () -> log.append(new Change.Put<>("b", "2")));
    assertEquals(512, log.log().statistics().reserveBytes());
  }

  @Test
  void aFailedAndAClosedLogSayWhyTheyRefuse() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);
    log.open();
    log.append(new Change.Put<>("a", "1"));
    log.close();
    String closed = log.log().statistics().refusal().orElseThrow();
    assertTrue(closed.contains("closed"), closed);
    assertEquals(Optional.empty(), log.log().statistics().failure());
    log.reopen(1, "closed");
    log.append(new Change.Put<>("b", "2"));
    log.disk.failAfter(1, true);
    log.step();
    assertEquals(log.log().statistics().failure(), log.log().statistics().refusal());
    assertTrue(log.log().statistics().failure().isPresent());
  }

  @Test
  void aWriteWithoutRoomIsRepeatedWhenThereIsRoom() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);
    log.open();
    CompletableFuture<Void> acknowledged =
        log.log().whenDurable(log.append(new Change.Put<>("a", "1")).sequence());
    log.disk.usableBytes(0);
    log.step();
    assertFalse(acknowledged.isDone());
    log.disk.usableBytes(1 << 20);
    log.step();
    assertTrue(acknowledged.isDone());
    log.close();
    log.reopen(1, "after a write without room");
  }

  @Test
  void removalsOnAFullDiskAreRefusedWhenTheRingIsFullToo() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH);
    log.open();
    log.disk.usableBytes(0);
    log.step();
    int taken = 0;
    try {
      for (; taken < 1000; taken++) {
        log.append(new Change.Remove<>("k" + taken));
      }
    } catch (LogException.Full full) {
      assertTrue(full.toString().contains("only removals"));
    }
    assertEquals(SimulatedLog.RING_BYTES / 40, taken);
    log.disk.killProcess();
    log.disk.usableBytes(1 << 20);
    log.reopen(taken, "after a full ring");
  }
}
