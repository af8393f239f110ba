package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream.Sequenced;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.LogException;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * One call of a seam fails in each try, while a log changes its standby: of a weigher, comparator,
 * clock or listener. Then no key is owned, and the log does the same once more: the map is what was
 * acknowledged, in all its parts.
 */
@Tag(Depth.TAG)
class StandbyFaultTest {
  private static final int TRIES = Depth.of(1_000, 50_000, 1_000_000);
  private static final int TRIES_A_MAP = 200;
  private static final int CALLS_MAX = 10;
  private static final Duration HANGS = Duration.ofMinutes(20);

  private final Random random = Seed.random(StandbyFaultTest.class);
  private final ManualClock time = new ManualClock();
  private final SilencedLogger silenced = new SilencedLogger();
  private int tries;
  private int failed;

  @Test
  void whateverFailsTheLogMayRepeatIt() {
    try (silenced) {
      assertTimeoutPreemptively(HANGS, this::runMaps);
    }
    System.out.println("StandbyFaultTest: " + tries + " tries, " + failed + " failed");
    assertTrue(failed > tries / 8, "many tries let something fail");
  }

  private void runMaps() {
    SeamFaults faults = new SeamFaults(random);
    while (tries < TRIES) {
      FakeReplicatedLog<String, String> log = new FakeReplicatedLog<>();
      PensieveBuilder<String, String> builder =
          Pensieve.<String, String>builder()
              .maximumEntries(6)
              .clock(faults.clock(time))
              .orderKeys(faults.order())
              .removalListener(faults.listener())
              .log(log);
      boolean weighs = random.nextBoolean();
      try (Pensieve<String, String> map =
          (weighs ? builder.maximumWeight(16, faults.weigher()) : builder).open()) {
        for (int i = 0; i < TRIES_A_MAP; i++) {
          tries++;
          tryOnce(map, log, faults, i);
          check(map, log, weighs);
        }
      }
    }
  }

  private void tryOnce(
      Pensieve<String, String> map,
      FakeReplicatedLog<String, String> log,
      SeamFaults faults,
      int turn) {
    long sequence = 1_000_000L * (turn + 1);
    if (random.nextInt(4) == 0) {
      lead(map, log, faults, sequence);
    } else if (random.nextInt(8) == 0) {
      List<LiveEntry<String, String>> state = List.copyOf(entries(log).values());
      repeatedly(faults, () -> log.install(state));
    } else {
      Change<String, String> change = change();
      log.commit(sequence, change);
      repeatedly(faults, () -> log.map().apply(sequence, change));
    }
    time.advance(random.nextInt(3));
  }

  private void lead(
      Pensieve<String, String> map,
      FakeReplicatedLog<String, String> log,
      SeamFaults faults,
      long above) {
    repeatedly(faults, () -> log.lead(above));
    for (int i = random.nextInt(5); i > 0; i--) {
      faults.arm(CALLS_MAX);
      try {
        write(map);
      } catch (RuntimeException | Error injected) {
        expectInjected(injected);
      }
      faults.disarm();
    }
    log.acknowledge(random.nextInt(4));
    List<FakeReplicatedLog.Pending<String, String>> lost = log.closeGate();
    repeatedly(faults, () -> log.undo(lost));
  }

  private void write(Pensieve<String, String> map) {
    if (random.nextInt(3) == 0) {
      map.removeAsync(key());
    } else if (random.nextInt(3) == 0) {
      map.writeAsync(new AtomicBatch<String, String>().put(key(), "b").remove(key()));
    } else {
      map.putAsync(key(), "x".repeat(random.nextInt(4)));
    }
  }

  private Change<String, String> change() {
    return switch (random.nextInt(6)) {
      case 0 -> new Change.Remove<>(key());
      case 1 -> new Change.Touch<>(key());
      case 2 -> new Change.Put<>(key(), "soon", time.millis() + random.nextInt(3));
      default -> new Change.Put<>(key(), "x".repeat(random.nextInt(4)));
    };
  }

  private String key() {
    return "k" + random.nextInt(9);
  }

  /** Lets one call fail, and then repeats the step undisturbed. */
  private void repeatedly(SeamFaults faults, Runnable step) {
    faults.arm(CALLS_MAX);
    try {
      step.run();
      faults.disarm();
    } catch (RuntimeException | Error injected) {
      faults.disarm();
      expectInjected(injected);
      failed++;
      step.run();
    }
  }

  private static void expectInjected(Throwable thrown) {
    if (!(thrown instanceof LogException)
        && !String.valueOf(thrown.getMessage()).contains("injected")) {
      throw new AssertionError("not what was injected", thrown);
    }
  }

  private static Map<String, LiveEntry<String, String>> entries(
      FakeReplicatedLog<String, String> log) {
    Map<String, LiveEntry<String, String>> entries = new TreeMap<>();
    for (Sequenced<String, String> one : log.committed()) {
      if (one.change() instanceof Change.Put<String, String> put) {
        entries.put(put.key(), new LiveEntry<>(put, one.sequence()));
      } else if (one.change() instanceof Change.Remove) {
        entries.remove(one.change().key());
      }
    }
    return entries;
  }

  private void check(
      Pensieve<String, String> map, FakeReplicatedLog<String, String> log, boolean weighs) {
    Map<String, LiveEntry<String, String>> expected = entries(log);
    for (int i = 0; i < 9; i++) {
      @Nullable LiveEntry<String, String> entry = log.map().entry("k" + i);
      assertEquals(expected.get("k" + i), entry);
    }
    Map<String, LiveEntry<String, String>> walked = new TreeMap<>();
    log.entries()
        .walk()
        .coldestFirst()
        .forEachRemaining(entry -> walked.put(entry.put().key(), entry));
    assertEquals(expected, walked);
    List<String> live = new ArrayList<>();
    long weight = 0;
    for (LiveEntry<String, String> entry : expected.values()) {
      weight += weighs ? 1 + entry.put().value().length() % 4 : 1;
      if (entry.put().expiryMillis() > time.millis()) {
        live.add(entry.put().key());
      }
    }
    List<String> sorted = new ArrayList<>();
    map.orderedKeys().forEach(sorted::add);
    assertEquals(live, sorted);
    assertEquals(live.size(), map.size());
    assertEquals(weight, map.weight());
  }
}
