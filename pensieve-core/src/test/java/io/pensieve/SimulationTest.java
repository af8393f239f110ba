package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.BatchResult.OperationResult;
import io.pensieve.log.Change;
import io.pensieve.log.Durability;
import io.pensieve.log.file.CrashingLog;
import io.pensieve.log.file.CrashingLog.Appended;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A map on a log on a disk, through many lives that end in a clean close, a killed process or a
 * power cut, with batches, compactions and other bounds: beside a plain model of its entries, their
 * versions and their order.
 */
@Tag(Depth.TAG)
class SimulationTest {
  private static final int LIVES = Depth.of(250, 3_000, 300_000);
  private static final int KEYS = 60;

  private final Random random = Seed.random(SimulationTest.class);
  private final CrashingLog log = new CrashingLog(new Random(random.nextLong()));
  private Durability durability = Durability.PROCESS_DEATH;
  private int bound = 20;
  private Pensieve<String, String> map = open();

  // What the map must hold while it is open: an access-ordered map, as Java has it.
  private Map<String, Kept> model = accessOrdered();

  // What replay tells first: in a base since then, the order is that of its walk.
  private Map<String, Kept> beginning = new LinkedHashMap<>();
  private List<String> beginningOrder = List.of();
  private List<String> orderAtWalk = List.of();
  private long base; // no change up to here decides the order
  private int settled;

  // How much of what was appended no crash may leave.
  private final Set<Integer> cutsWithinBatches = new HashSet<>();

  private int crashes;
  private int bases;

  /** A value with its version. */
  private record Kept(String value, long version) {}

  private Pensieve<String, String> open() {
    return Pensieve.<String, String>builder()
        .maximumEntries(bound)
        .log(log.open(durability))
        .open();
  }

  @Test
  void whateverEndsALifeTheNextOneHasWhatWasPromised() {
    for (int ttl = 0; ttl < LIVES; ttl++) {
      for (int i = random.nextInt(80); i > 0; i--) {
        operate();
      }
      assertEquals(List.copyOf(model.keySet()), order(), "while it is open");
      switch (random.nextInt(3)) {
        case 0 -> close();
        case 1 -> crash(true, "life " + ttl + ", killed");
        default -> crash(false, "life " + ttl + ", power cut");
      }
    }
    System.out.println("SimulationTest: " + crashes + " crashes, " + bases + " bases");
    assertTrue(crashes > LIVES / 2 && bases > LIVES / 50);
  }

  private void operate() {
    String key = "k" + random.nextInt(KEYS);
    switch (random.nextInt(14)) {
      case 0, 1, 2 -> assertEquals(valueOf(model.get(key)), String.valueOf(map.get(key)));
      case 3 -> assertEquals(valueOf(model.remove(key)), "" + map.removeAsync(key).previous());
      case 4, 5, 6 -> compactStep();
      case 7 -> log.step();
      case 8, 9 -> runBatch();
      default -> put(key, "v" + random.nextInt() + "x".repeat(random.nextInt(200)));
    }
    // An append to a full ring would wait for ever.
    if (log.appended().size() - settled > 20) {
      log.settle();
      settled = log.appended().size();
    }
  }

  private static String valueOf(@Nullable Kept kept) {
    return String.valueOf(kept == null ? null : kept.value());
  }

  private void put(String key, String value) {
    PendingWrite<String> done = map.putAsync(key, value);
    assertEquals(valueOf(model.put(key, new Kept(value, done.version()))), "" + done.previous());
    evict();
    assertTrue(map.size() <= bound);
  }

  private int evict() {
    int evicted = Math.max(0, model.size() - bound);
    for (int i = 0; i < evicted; i++) {
      model.remove(model.keySet().iterator().next());
    }
    return evicted;
  }

  private void runBatch() {
    AtomicBatch<String, String> batch = new AtomicBatch<>();
    List<BiConsumer<Map<String, Kept>, OperationResult<String>>> effects = new ArrayList<>();
    for (int i = 1 + random.nextInt(5); i > 0; i--) {
      String key = "k" + random.nextInt(KEYS);
      switch (random.nextInt(4)) {
        case 0 -> {
          batch.get(key);
          effects.add((entries, done) -> assertWas(done, entries.get(key)));
        }
        case 1 -> {
          batch.remove(key);
          effects.add((entries, done) -> assertWas(done, entries.remove(key)));
        }
        default -> {
          String value = "b" + random.nextInt() + "x".repeat(random.nextInt(200));
          batch.put(key, value);
          effects.add(
              (entries, done) -> {
                long version = requireNonNull(done.entry()).version();
                assertWas(done, entries.put(key, new Kept(value, version)));
              });
        }
      }
    }
    int before = log.appended().size();
    List<OperationResult<String>> results = map.writeAsync(batch).results();
    for (int i = 0; i < results.size(); i++) {
      effects.get(i).accept(model, results.get(i));
    }
    int together = log.appended().size() - before - evict();
    for (int cut = before + 1; cut < before + together; cut++) {
      cutsWithinBatches.add(cut);
    }
  }

  private static void assertWas(OperationResult<String> done, @Nullable Kept expected) {
    assertEquals(valueOf(expected), "" + done.previous());
  }

  private void compactStep() {
    List<String> order = order();
    if (log.compactStep()) {
      orderAtWalk = order;
    }
    if (log.newestBase() > base) {
      base = log.newestBase();
      beginningOrder = orderAtWalk;
      bases++;
    }
  }

  private List<String> order() {
    return keys(map);
  }

  private static List<String> keys(Pensieve<String, String> of) {
    List<String> keys = new ArrayList<>();
    of.nodes().forEach(node -> keys.add(node.key()));
    return keys;
  }

  private Map<String, Kept> kept() {
    Map<String, Kept> entries = accessOrdered();
    map.nodes()
        .forEach(n -> entries.put(n.key(), new Kept(String.valueOf(n.value()), n.version())));
    return entries;
  }

  private static Map<String, Kept> accessOrdered() {
    return new LinkedHashMap<>(16, 0.75f, true);
  }

  /** The order of all uses survives, whatever the next bound. */
  private void close() {
    map.close();
    Map<String, Kept> expected = new LinkedHashMap<>(model);
    List<Appended> history = List.copyOf(log.appended());
    assertEquals(entries(expected), entries(told(history)), "told after a clean close");
    reopen(expected);
    assertEquals(entries(bounded(expected)), entries(kept()), "after a clean close");
  }

  private void crash(boolean isKill, String context) {
    crashes++;
    List<Appended> history = List.copyOf(log.appended());
    Set<Integer> cuts = Set.copyOf(cutsWithinBatches);
    assertFalse(cuts.contains(history.size()), "a batch is appended as one");
    int shortest = isKill ? history.size() : countUpTo(history, log.acknowledged());
    if (isKill) {
      log.kill();
    } else {
      log.cutPower(random);
    }
    log.appended().clear();
    changeSettings();
    map = open();
    Map<String, Kept> found = kept();
    for (int survivors = history.size(); survivors >= shortest; survivors--) {
      if (cuts.contains(survivors)) {
        continue;
      }
      Map<String, Kept> told = told(history.subList(0, survivors));
      if (entries(bounded(told)).equals(entries(found)) && evicted(told).equals(removed())) {
        begin(told);
        return;
      }
    }
    throw new AssertionError(context + ": " + found + " is not what " + history + " led to");
  }

  // Of two ends of the history that differ in the coldest entry alone, this tells which it was.
  private List<String> evicted(Map<String, Kept> told) {
    return List.copyOf(told.keySet()).subList(0, Math.max(0, told.size() - bound));
  }

  private List<String> removed() {
    return log.appended().stream().map(appended -> appended.change().key()).toList();
  }

  private static int countUpTo(List<Appended> history, long sequence) {
    return (int) history.stream().filter(change -> change.sequence() <= sequence).count();
  }

  private void reopen(Map<String, Kept> told) {
    log.appended().clear();
    changeSettings();
    map = open();
    begin(told);
  }

  private void changeSettings() {
    durability = random.nextBoolean() ? Durability.PROCESS_DEATH : Durability.POWER_CUT;
    bound = 5 + random.nextInt(35);
  }

  // What is evicted because the bound is smaller now is removed in the log.
  private void begin(Map<String, Kept> told) {
    beginning = told;
    beginningOrder = List.copyOf(told.keySet());
    model = kept();
    settled = 0;
    cutsWithinBatches.clear();
  }

  /**
   * What replay tells: the entries by the order of their last puts and touches since the base (or
   * the beginning); before them the others, as the base (or the beginning) had them.
   */
  private Map<String, Kept> told(List<Appended> history) {
    Map<String, Kept> entries = new HashMap<>(beginning);
    LinkedHashSet<String> order = new LinkedHashSet<>(beginningOrder);
    for (Appended appended : history) {
      Change<String, String> change = appended.change();
      if (change instanceof Change.Put<String, String> put) {
        entries.put(put.key(), new Kept(put.value(), appended.sequence()));
      } else if (change instanceof Change.Remove<String, String>) {
        entries.remove(change.key());
      }
      if (appended.sequence() > base) {
        order.remove(change.key());
        order.add(change.key());
      }
    }
    Map<String, Kept> told = new LinkedHashMap<>();
    for (String key : order) {
      Kept kept = entries.get(key);
      if (kept != null) {
        told.put(key, kept);
      }
    }
    assertEquals(entries.size(), told.size(), "each entry is in the base or was written since");
    return told;
  }

  private Map<String, Kept> bounded(Map<String, Kept> told) {
    Map<String, Kept> bounded = new LinkedHashMap<>(told);
    bounded.keySet().removeAll(evicted(told));
    return bounded;
  }

  private static List<Map.Entry<String, Kept>> entries(Map<String, Kept> of) {
    return List.copyOf(of.entrySet());
  }
}
