package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.LogStatistics;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Errors, refusals and failures at any operation of a log: while it is opened, used, compacted and
 * closed, once, for a while or for good; with threads refused and writers that do not come back.
 * Whatever happens, the log goes on or says that it has failed, it can be closed, nobody who waits
 * is forgotten, and nothing that was appended is lost.
 */
@Tag(Depth.TAG)
class FaultInjectionTest {
  private static final int TRIES = Depth.of(150, 2000, 200_000);
  private static final int ACTIONS = 40;
  private static final DiskFault[] FAULTS = DiskFault.values();

  private int failed;
  private int refused;
  private int wentOn;
  private int notOpened;

  @Test
  void aLogGoesOnOrSaysThatItFailedAndAlwaysEnds() {
    long first = Seed.printed(FaultInjectionTest.class);
    for (int i = 0; i < TRIES; i++) {
      long seed = first + i;
      assertTimeoutPreemptively(
          Duration.ofMinutes(2), () -> new Try(seed).run(), () -> "seed " + seed + " hangs");
    }
    System.out.println(
        "FaultInjectionTest: "
            + TRIES
            + " tries: "
            + wentOn
            + " went on, "
            + failed
            + " failed, "
            + refused
            + " refusals, "
            + notOpened
            + " not opened");
    assertTrue(failed > TRIES / 50 && wentOn > TRIES / 10 && notOpened > TRIES / 50);
  }

  /** One log, and what befalls it. */
  private final class Try {
    private final long seed;
    private final Random random;
    private final Durability durability;
    private final SimulatedLog log;
    private final DiskFault fault;
    private final List<CompletableFuture<Void>> waiting = new ArrayList<>();

    Try(long seed) {
      this.seed = seed;
      this.random = new Random(seed);
      this.durability = random.nextBoolean() ? Durability.PROCESS_DEATH : Durability.POWER_CUT;
      this.log = new SimulatedLog(new SimulatedDisk(), durability);
      this.fault = FAULTS[random.nextInt(FAULTS.length)];
    }

    void run() {
      boolean isForGood = random.nextBoolean();
      log.disk.failAfter(random.nextInt(random.nextBoolean() ? 40 : 150), isForGood, fault);
      if (isOpened()) {
        act();
        if (random.nextBoolean()) {
          log.disk.heal();
          log.refuseThreads(false);
          goOnOrSaySo();
        }
        closeAtLast();
      } else {
        notOpened++;
      }
      assertEquals(0, log.disk.locks(), () -> context("the folder is not given back"));
      waiting.forEach(
          future -> assertTrue(future.isDone(), () -> context("somebody waits for ever")));
      SimulatedLog next = log.onDisk(log.disk.copy());
      next.disk.killProcess();
      // What is acknowledged when it is forced may end at a hole that was left in the ring.
      next.reopen(
          durability == Durability.PROCESS_DEATH ? log.historySize() : log.acknowledged(),
          context("opened again"));
    }

    private String context(String what) {
      return "seed " + seed + ", " + fault + ": " + what;
    }

    private boolean isOpened() {
      try {
        log.open();
        return true;
      } catch (LogException | OutOfMemoryError | StackOverflowError | InternalError broken) {
        assertTrue(log.disk.hasFailed(), () -> context("not opened: " + broken));
        closeAnyhow();
        return false;
      }
    }

    private void act() {
      for (int i = 0; i < ACTIONS; i++) {
        try {
          act(i);
        } catch (LogException.Full | LogException.Failed thrown) {
          refused++;
          expectTold(thrown);
        }
      }
    }

    private void act(int i) {
      switch (random.nextInt(16)) {
        case 0, 1, 2, 3 -> log.step();
        case 4, 5 -> log.compactStep();
        case 6 -> {
          CompletableFuture<Void> ignored = log.requestCompaction();
        }
        case 7 -> log.append(new Change.Remove<>("k" + random.nextInt(5)));
        case 8 -> log.appendAtomically(SimulatedLog.group(random, i));
        case 9 -> {
          if (random.nextInt(4) == 0) {
            abandonClaim(32 + 8 * random.nextInt(40), random.nextInt(8) > 0);
          }
        }
        case 10 -> log.refuseThreads(random.nextBoolean());
        case 11 ->
            waiting.add(
                log.log().whenDurable(log.append(SimulatedLog.put(random, "w", i, 50)).sequence()));
        default -> log.append(SimulatedLog.put(random, "k" + random.nextInt(5), i, 700));
      }
    }

    /** A thread has claimed room, and does not come to fill it; somebody may know. */
    private void abandonClaim(int bytes, boolean isKnown) {
      RingBuffer ring = log.log().openLog().ring();
      RingClaim claim = RingClaim.ofThread();
      claim.bytes = bytes;
      claim.position = RingBuffer.NO_ROOM;
      claim.ring = ring.number();
      long position = ring.tryClaim(bytes);
      claim.position = isKnown || position < 0 ? position : RingBuffer.NO_ROOM;
      claim.abandoned = isKnown;
      log.noteWaiting();
    }

    private void expectTold(LogException thrown) {
      LogStatistics told = log.log().statistics();
      assertTrue(told.refusal().isPresent(), () -> context("nothing told of " + thrown));
      assertEquals(
          thrown instanceof LogException.Failed, told.failure().isPresent(), () -> context("told"));
    }

    /** Nothing is wrong any more, so the log takes and forces puts, or has failed. */
    private void goOnOrSaySo() {
      for (int i = 0; i < 120; i++) {
        log.step();
      }
      LogStatistics told = log.log().statistics();
      assertEquals(told.failure(), told.refusal(), () -> context("told"));
      if (told.failure().isPresent()) {
        failed++;
        return;
      }
      wentOn++;
      long last = log.append(new Change.Put<>("last", "1", Change.NEVER)).sequence();
      log.settle();
      assertFalse(log.log().openLog().watermark().position() < last, () -> context("not written"));
      for (int i = 0; i < 400 && log.compactStep(); i++) {
        log.step();
      }
    }

    private void closeAnyhow() {
      try {
        log.close();
      } catch (LogException.Failed asToldBefore) {
        // It is closed all the same.
      }
    }

    private void closeAtLast() {
      try {
        log.close();
      } catch (LogException | OutOfMemoryError | StackOverflowError | InternalError broken) {
        log.disk.heal();
      }
      if (log.disk.locks() > 0) {
        closeAnyhow();
      }
    }
  }
}
