package io.pensieve.log;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every script stops after each of its disk operations, and again while it recovers. */
class CrashTest {
  private static final int ACTIONS = 40;

  static LongStream seeds() {
    return Seeds.of(3);
  }

  private enum Crash {
    PROCESS_DEATH,
    POWER_CUT
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void whatWasAcknowledgedSurvivesACrashAfterAnyOperation(long seed) {
    for (Durability durability : Durability.values()) {
      int operations = operationsOfScript(seed, durability);
      assertTrue(operations > 50, "a script that does something");
      for (int stop = 0; stop < operations; stop++) {
        for (Crash crash : Crash.values()) {
          crashAndRecover(seed, durability, stop, crash);
        }
      }
    }
  }

  private static int operationsOfScript(long seed, Durability durability) {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), durability);
    log.open();
    log.runScript(new Random(seed), ACTIONS);
    return log.disk.operations();
  }

  private static void crashAndRecover(long seed, Durability durability, int stop, Crash crash) {
    String context = "seed " + seed + ", " + durability + ", operation " + stop + ", " + crash;
    Random random = new Random(seed * 31 + stop);
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), durability);
    log.disk.stopAfter(stop);
    try {
      log.open();
      log.runScript(new Random(seed), ACTIONS);
    } catch (LogException.Failed stopped) {
      assertTrue(log.disk.hasStopped(), () -> context + ": " + stopped);
    }
    recover(log, crash, random, context);
    crashWhileGoingOn(log, random, context);
  }

  private static void recover(SimulatedLog log, Crash crash, Random random, String context) {
    int mustSurvive = crash(log, crash, random);
    log.disk.stopAfter(random.nextInt(60));
    boolean recovered = false;
    try {
      log.reopen(mustSurvive, context);
      recovered = true;
    } catch (LogException.Failed stoppedAgain) {
      assertTrue(log.disk.hasStopped(), () -> context + ": " + stoppedAgain);
    }
    log.disk.heal();
    if (!recovered) {
      int mustSurviveBoth =
          Math.min(mustSurvive, crash(log, Crash.values()[random.nextInt(2)], random));
      log.reopen(mustSurviveBoth, context + ", and again in recovery");
    }
  }

  private static int crash(SimulatedLog log, Crash crash, Random random) {
    if (crash == Crash.PROCESS_DEATH) {
      log.disk.killProcess();
      return log.historySize();
    }
    log.disk.cutPower(random);
    return log.acknowledged();
  }

  private static void crashWhileGoingOn(SimulatedLog log, Random random, String context) {
    log.runScript(random, 5);
    for (Crash crash : Crash.values()) {
      int mustSurvive = crash(log, crash, random);
      log.reopen(mustSurvive, context + ", then " + crash);
    }
  }
}
