package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every script crashes before each of its disk operations and in the middle of each write, in many
 * ways, and again while it recovers.
 */
@Tag(Depth.TAG)
class CrashTest {
  private static final int ACTIONS = 60;
  private static final int SCRIPTS = Depth.of(2, 2, 300);
  private static final boolean UNFORESEEN = Depth.of(0, 1, 1) > 0; // one seed more
  private static final int CRASHES_MIN = Depth.of(4_000, 20_000, 2_500_000);
  private static final boolean BOTH_DEATHS = Depth.of(0, 1, 1) > 0; // or one of both, by chance
  private static final int POWER_CUTS = Depth.of(1, 3, 3); // of every crash point

  /** Where a log can be stopped; recovery's steps by their own names, as it makes them too. */
  private static final List<String> CRASH_POINTS =
      List.of(
          "create folder",
          "force directory above",
          "create LOCK",
          "write LOCK",
          "create first.tmp", // the first segment of a life
          "write first.tmp",
          "half of write first.tmp",
          "force first.tmp",
          "rename first.tmp to *.log",
          "force directory",
          "create ring.tmp",
          "half of write ring.tmp",
          "force ring.tmp",
          "map ring.tmp",
          "rename ring.tmp to ring",
          "write *.log", // an append
          "half of write *.log",
          "force *.log",
          "create spare.tmp", // rolled to
          "half of write spare.tmp",
          "force spare.tmp",
          "rename spare.tmp to *.log",
          "create base.tmp",
          "write base.tmp",
          "half of write base.tmp",
          "force base.tmp",
          "rename base.tmp to *.base",
          "delete *.base",
          "delete *.log",
          "truncate *.log", // at closing, and of what recovery has replaced
          "in recovery: delete base.tmp",
          "in recovery: delete spare.tmp",
          "in recovery: create torn.tmp",
          "in recovery: write torn.tmp",
          "in recovery: force torn.tmp",
          "in recovery: rename torn.tmp to *.log.torn",
          "in recovery: create tail.tmp",
          "in recovery: write tail.tmp",
          "in recovery: force tail.tmp",
          "in recovery: rename tail.tmp to *.log",
          "in recovery: force directory",
          "in recovery: rename first.tmp to *.log",
          "in recovery: rename ring.tmp to ring",
          "in recovery: truncate *.log",
          "in recovery: delete *.log",
          "in recovery: delete *.base");

  private final Set<String> crashPoints = new TreeSet<>();
  private int crashes;

  @Test
  void whatWasAcknowledgedSurvivesEveryCrashAtEveryPoint() {
    Seed.first(SCRIPTS).forEach(this::crashEverywhere);
    if (!Seed.isGiven()) {
      if (UNFORESEEN) {
        crashEverywhere(Seed.printed(CrashTest.class));
      }
      System.out.println(
          "CrashTest: " + crashes + " crashes and recoveries, " + crashPoints.size() + " points");
      assertTrue(crashes >= CRASHES_MIN, crashes + " crashes");
      for (String point : CRASH_POINTS) {
        assertTrue(crashPoints.contains(point), () -> "no crash at: " + point);
      }
    }
  }

  private void crashEverywhere(long seed) {
    for (Durability durability : Durability.values()) {
      Random random = new Random(seed);
      SimulatedLog log =
          new SimulatedLog(new SimulatedDisk(), durability).skipping(new Random(seed));
      log.disk.writeBack(new Random(seed));
      Random crashRandom = new Random(~seed);
      log.disk.watch(
          operation -> {
            reached(operation, "");
            String context = "seed " + seed + ", " + durability + ", before " + operation;
            crashInManyWays(log, crashRandom, context);
          });
      log.open();
      log.runScript(random, ACTIONS);
      log.close();
      cutPowerAfterClose(log, crashRandom, "seed " + seed + ", " + durability + ", closed");
      assertTrue(log.disk.newestBase(SimulatedLog.FOLDER) > 0, "a script that compacts");
    }
  }

  private void cutPowerAfterClose(SimulatedLog log, Random random, String context) {
    SimulatedLog closed = log.onDisk(log.disk.copy());
    closed.disk.cutPower(random);
    closed.reopen(log.historySize(), context);
    assertTrue(closed.report().closedCleanly(), context);
  }

  private void reached(String operation, String phase) {
    crashPoints.add(
        phase + operation.replaceAll("[0-9a-f]{16}", "*").replaceAll("torn-\\d+", "torn"));
  }

  private void crashInManyWays(SimulatedLog log, Random random, String context) {
    boolean isInAppend = random.nextBoolean();
    if (BOTH_DEATHS || !isInAppend) {
      new Crashed(log, random, context + ", process dies").killProcess().recover();
    }
    if (BOTH_DEATHS || isInAppend) {
      new Crashed(log, random, context + ", in an append").killInAppend().recover();
    }
    for (int cut = 0; cut < POWER_CUTS; cut++) {
      new Crashed(log, random, context + ", power cut " + cut).cutPower().recover();
    }
  }

  /** A log that has crashed; the one that it was a copy of goes on. */
  private final class Crashed {
    private final SimulatedLog log;
    private final Random random;
    private String context; // what has become of it so far
    private String reached = "";
    private int mustSurvive;

    Crashed(SimulatedLog original, Random random, String context) {
      this.log = original.onDisk(original.disk.copy());
      this.random = random;
      this.context = context;
      this.mustSurvive = log.historySize();
    }

    Crashed killProcess() {
      log.disk.killProcess();
      crashes++;
      return this;
    }

    /** One that is in the ring only was not committed yet; others after it were. */
    Crashed killInAppend() {
      killProcess();
      UncommittedAppend.in(log, random);
      mustSurvive = log.historySize();
      return this;
    }

    Crashed cutPower() {
      mustSurvive = Math.min(mustSurvive, log.acknowledged());
      log.disk.cutPower(random);
      crashes++;
      return this;
    }

    private String crash() {
      boolean isCut = random.nextBoolean();
      Crashed ignored = isCut ? cutPower() : killProcess();
      return isCut ? ", power cut" : ", process dies";
    }

    /** Crashes twice while it recovers, recovers, goes on for a while, and crashes twice more. */
    void recover() {
      for (int again = 0; again < 2; again++) {
        log.disk.stopAfter(random.nextInt(50));
        if (reopened()) {
          log.disk.heal();
          log.runScript(random, 4);
          mustSurvive = log.historySize();
        }
        log.disk.heal();
        context += crash();
      }
      log.reopen(mustSurvive, context);
    }

    private void noteRecovery(String operation) {
      reached = operation;
      reached(operation, "in recovery: ");
    }

    private boolean reopened() {
      log.disk.watch(operation -> noteRecovery(operation));
      try {
        log.reopen(mustSurvive, context);
        context += ", recovered";
        return true;
      } catch (LogException.Failed stopped) {
        assertTrue(log.disk.hasStopped(), () -> context + ": " + stopped);
        context += ", recovered as far as " + reached;
        return false;
      }
    }
  }
}
