package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.file.CrashingLog;
import io.pensieve.log.file.CrashingLog.Appended;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * One call of a seam fails in each try: of a codec, clock, weigher, comparator, function, listener
 * or callback, of the disk, or of whoever starts threads. Then no key is owned, the map holds what
 * its log does, and within its bound; and the next life has what this one had.
 *
 * <p>One thread, so that a seed replays it; {@link SeamFaultRaceTest} has several.
 */
@Tag(Depth.TAG)
class SeamFaultTest {
  private static final int TRIES =
      Integer.getInteger("pensieve.injections", Depth.of(500, 100_000, 2_000_000));
  private static final int KEYS = 12;
  private static final int CALLS_MAX = 12;
  private static final int BOUND = 8;
  private static final long WEIGHT_MAX = 24;
  private static final long HANG_SECONDS = 120;

  private final Random random = Seed.random(SeamFaultTest.class);
  private final CrashingLog log = new CrashingLog(new Random(random.nextLong()));
  private final ManualClock time = new ManualClock();
  private final ExecutorService driver = Executors.newSingleThreadExecutor();
  private final ExecutorService stranger = Executors.newSingleThreadExecutor();
  private final SilencedLogger silencedLogger = new SilencedLogger();
  private final AtomicInteger tries = new AtomicInteger();
  private volatile String doing = "";

  // Used by the driver only.
  private SeamFaults seamFaults = new SeamFaults(random);
  private boolean isWeighed;
  private Durability durability = Durability.PROCESS_DEATH;
  private Map<String, String> begun = Map.of(); // what the map held when it was opened
  private int struckByDisk;
  private @Nullable Throwable thrown;

  @AfterEach
  void end() {
    silencedLogger.close();
    driver.shutdownNow();
    stranger.shutdownNow();
  }

  @Test
  void whateverFailsNothingStaysOwnedAndNothingIsLost() throws Exception {
    Future<?> done = driver.submit(this::runLives);
    for (int before = -1; !done.isDone(); before = tries.get()) {
      try {
        done.get(HANG_SECONDS, TimeUnit.SECONDS);
      } catch (TimeoutException slow) {
        assertTrue(tries.get() > before, () -> "hangs at try " + tries + ", " + doing + stacks());
      }
    }
    done.get();
    System.out.println(
        "SeamFaultTest: "
            + tries
            + " tries, "
            + seamFaults.struck()
            + " calls failed, "
            + struckByDisk
            + " by the disk");
    assertTrue(seamFaults.struck() + struckByDisk > TRIES / 4, "many tries let something fail");
  }

  private static String stacks() {
    StringBuilder stacks = new StringBuilder();
    Thread.getAllStackTraces()
        .forEach((thread, frames) -> stacks.append("\n").append(thread).append(List.of(frames)));
    return stacks.toString();
  }

  private void runLives() {
    seamFaults = new SeamFaults(random);
    while (tries.get() < TRIES) {
      Pensieve<String, String> map = openDespiteFailures();
      begun = contents(map);
      for (int i = random.nextInt(60); i > 0 && !log.hasFailed(); i--) {
        tryOnce(map);
      }
      endLife(map);
    }
  }

  // ---- Opening

  private Pensieve<String, String> openDespiteFailures() {
    isWeighed = random.nextBoolean();
    durability = random.nextBoolean() ? Durability.PROCESS_DEATH : Durability.POWER_CUT;
    log.appended().clear();
    for (int attempts = random.nextInt(4); attempts > 0; attempts--) {
      tries.incrementAndGet();
      doing = "open";
      arm(40);
      try {
        return open();
      } catch (RuntimeException | Error refused) {
        expectInjected(refused);
        assertFree(refused);
      } finally {
        disarm();
      }
    }
    doing = "open undisturbed";
    return open();
  }

  private void assertFree(Throwable refused) {
    if (!log.isFree()) {
      throw new AssertionError("a refused opening leaves the folder locked", refused);
    }
  }

  private Pensieve<String, String> open() {
    PensieveBuilder<String, String> builder =
        Pensieve.<String, String>builder()
            .maximumEntries(BOUND)
            .clock(seamFaults.clock(time))
            .orderKeys(seamFaults.order())
            .removalListener(seamFaults.listener())
            .recordStatistics()
            .recoveryListener((read, total) -> seamFaults.call("progress"))
            .log(log.open(durability, seamFaults.codec(), seamFaults::call));
    return (isWeighed ? builder.maximumWeight(WEIGHT_MAX, seamFaults.weigher()) : builder).open();
  }

  private void arm(int callsMax) {
    if (random.nextInt(4) == 0) {
      int fault = random.nextInt(CrashingLog.DISK_FAULTS);
      log.failDiskAfter(random.nextInt(1 + callsMax / 4), random.nextInt(4) == 0, fault);
    } else {
      seamFaults.arm(callsMax);
    }
  }

  private void disarm() {
    seamFaults.disarm();
    if (log.diskHasFailed()) {
      struckByDisk++;
    }
    log.healDisk();
  }

  /** Whatever the map throws must be what was injected, or say so. */
  private static void expectInjected(Throwable thrown) {
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (CrashingLog.isFaultOfDisk(cause)) {
        return;
      }
      String message = String.valueOf(cause.getMessage());
      if (cause instanceof LogException
          || message.contains("injected")
          || message.contains("operation ")) {
        return;
      }
    }
    throw new AssertionError("not what was injected", thrown);
  }

  // ---- One try

  private void tryOnce(Pensieve<String, String> map) {
    tries.incrementAndGet();
    Map<String, String> before = contents(map);
    Set<String> keys = new HashSet<>();
    Map<String, Set<String>> written = new HashMap<>();
    arm(CALLS_MAX);
    thrown = null;
    try {
      operate(map, keys, written);
      log.step();
    } catch (RuntimeException | Error failed) {
      expectInjected(failed);
      thrown = failed;
    } finally {
      disarm();
    }
    log.settle();
    Map<String, String> after = contents(map);
    assertOnlyKeysChanged(before, after, keys, written);
    assertNothingIsOwned(map);
    if (!log.hasFailed()) {
      assertEquals(
          fold(begun, log.appended()),
          contents(map),
          () -> doing + ": the log has what the map has; failed: " + thrown + " " + log.appended());
      assertQuietMapIsWithinItsBound(map);
    }
  }

  private String key(Set<String> keys) {
    String key = "k" + random.nextInt(KEYS);
    keys.add(key);
    return key;
  }

  private String value(String key, Map<String, Set<String>> written) {
    String value = "x".repeat(random.nextInt(60));
    written.computeIfAbsent(key, any -> new HashSet<>()).add(value);
    return value;
  }

  private void operate(
      Pensieve<String, String> map, Set<String> keys, Map<String, Set<String>> written) {
    String key = key(keys);
    String value = value(key, written);
    int what = random.nextInt(16);
    doing = "operation " + what + " on " + key;
    switch (what) {
      case 0 -> map.removeAsync(key);
      case 1 -> map.writeAsync(Write.put(key, value).ifAbsent());
      case 2 ->
          map.writeAsync(Write.put(key, value).ttl(Duration.ofMillis(1 + random.nextInt(500))));
      case 3 -> map.compute(key, (k, old) -> computed(value));
      case 4 -> map.computeIfAbsent(key, k -> computed(value));
      case 5 -> map.computeIfPresent(key, (k, old) -> computed(value));
      case 6 -> map.merge(key, value, (old, added) -> computed(value));
      case 7 -> batch(map, keys, written);
      case 8 -> increment(map, key, written);
      case 9 -> expire(map, keys);
      case 10 -> map.get(key);
      case 11 -> everything(map, keys);
      case 12 -> log.compactStep();
      case 13 -> nested(map, key, value);
      case 14 -> called(map.putAsync(key, value));
      default -> map.putAsync(key, value);
    }
  }

  private void called(PendingWrite<String> done) {
    CompletableFuture<Void> ignored = done.durable().thenRun(() -> seamFaults.call("callback"));
  }

  private @Nullable String computed(String value) {
    seamFaults.call("function");
    return random.nextInt(4) == 0 ? null : value;
  }

  // A write to another key from inside a function is refused, and so is the function's own.
  private void nested(Pensieve<String, String> map, String key, String value) {
    map.compute(
        key,
        (k, old) -> {
          seamFaults.call("function");
          try {
            map.put(key + "'", value);
          } catch (IllegalStateException refused) {
            throw new IllegalStateException("injected: refused", refused);
          }
          throw new AssertionError("a function has written to its own map");
        });
  }

  private void batch(
      Pensieve<String, String> map, Set<String> keys, Map<String, Set<String>> written) {
    AtomicBatch<String, String> batch = new AtomicBatch<>();
    for (int i = random.nextInt(4); i >= 0; i--) {
      String key = key(keys);
      if (random.nextInt(3) == 0) {
        batch.remove(key);
      } else {
        batch.put(key, value(key, written));
      }
    }
    map.writeAsync(batch);
  }

  private void increment(
      Pensieve<String, String> map, String key, Map<String, Set<String>> written) {
    String old = contents(map).getOrDefault(key, "");
    Set<String> numbers = written.computeIfAbsent(key, any -> new HashSet<>());
    numbers.add("n"); // if the old one has expired
    numbers.add("n".repeat(old.length() + 1));
    CompletableFuture<IncrementResult> ignored =
        map.incrementAsync(key, 1, seamFaults.numberCodec());
  }

  private void expire(Pensieve<String, String> map, Set<String> keys) {
    for (int i = 0; i < KEYS; i++) {
      keys.add("k" + i);
    }
    time.advance(200);
    map.cleanUp();
  }

  private void everything(Pensieve<String, String> map, Set<String> keys) {
    for (int i = 0; i < KEYS; i++) {
      keys.add("k" + i);
    }
    switch (random.nextInt(3)) {
      case 0 -> map.clear();
      case 1 -> map.values().removeIf(value -> injectedTest(value));
      default -> map.keySet().removeIf(key -> injectedTest(key));
    }
  }

  private boolean injectedTest(String text) {
    seamFaults.call("predicate");
    return text.hashCode() % 2 == 0;
  }

  // ---- What must hold

  private static Map<String, String> contents(Pensieve<String, String> map) {
    Map<String, String> contents = new HashMap<>();
    map.nodes().forEach(node -> contents.put(node.key(), String.valueOf(node.value())));
    return contents;
  }

  /** Only the operation's keys have other values; others may have been evicted at most. */
  private void assertOnlyKeysChanged(
      Map<String, String> before,
      Map<String, String> after,
      Set<String> keys,
      Map<String, Set<String>> written) {
    boolean mayEvict = isWeighed || before.size() + keys.size() > BOUND;
    after.forEach(
        (key, value) -> {
          boolean isOld = value.equals(before.get(key));
          boolean isNew = written.getOrDefault(key, Set.of()).contains(value);
          assertTrue(isOld || isNew, () -> doing + ": " + key + " has got a value of its own");
        });
    before.forEach(
        (key, value) ->
            assertTrue(
                after.containsKey(key) || keys.contains(key) || mayEvict,
                () -> doing + ": " + key + " is lost"));
  }

  /** Another thread gets every key, for a write whose condition does not hold. */
  private void assertNothingIsOwned(Pensieve<String, String> map) {
    Future<?> visit =
        stranger.submit(
            () -> {
              for (int i = 0; i < KEYS; i++) {
                map.writeAsync(Write.put("k" + i, "never").ifVersion(Long.MAX_VALUE));
              }
            });
    try {
      visit.get(HANG_SECONDS / 2, TimeUnit.SECONDS);
    } catch (TimeoutException owned) {
      throw new AssertionError(doing + ": a key stays owned" + stacks(), owned);
    } catch (Exception e) {
      throw new AssertionError(doing, e);
    }
  }

  private void assertQuietMapIsWithinItsBound(Pensieve<String, String> map) {
    if (random.nextInt(4) > 0) {
      return; // what one failure leaves, the next one finds
    }
    map.putAsync("k0", "quiet");
    log.settle();
    assertTrue(map.size() <= BOUND, () -> doing + ": " + map.size() + " entries stay");
    Statistics statistics = map.statistics();
    Map<String, String> contents = contents(map);
    long present = map.keySet().stream().count(); // what has expired is not counted
    assertEquals(present, statistics.entries(), () -> doing + ": the number of entries");
    long weight = contents.values().stream().mapToLong(value -> 1 + value.length() % 4).sum();
    if (present == contents.size()) {
      assertEquals(isWeighed ? weight : present, statistics.weight(), () -> doing + ": the weight");
    }
    assertTrue(!isWeighed || weight <= WEIGHT_MAX, () -> doing + ": weighs " + weight);
    assertEquals(
        map.keySet().stream().sorted().toList(), sorted(map), () -> doing + ": the sorted keys");
  }

  private static List<String> sorted(Pensieve<String, String> map) {
    List<String> keys = new ArrayList<>();
    map.orderedKeys().forEach(keys::add);
    return keys;
  }

  private static Map<String, String> fold(Map<String, String> beginning, List<Appended> changes) {
    Map<String, String> fold = new HashMap<>(beginning);
    for (Appended appended : changes) {
      if (appended.change() instanceof Change.Put<String, String> put) {
        fold.put(put.key(), put.value());
      } else if (appended.change() instanceof Change.Remove<String, String>) {
        fold.remove(appended.change().key());
      }
    }
    return fold;
  }

  // ---- The end of a life

  private void endLife(Pensieve<String, String> map) {
    Map<String, String> last = contents(map);
    List<Appended> changes = new ArrayList<>(log.appended());
    boolean failed = log.hasFailed();
    boolean closes = random.nextBoolean();
    if (closes) {
      close(map);
    } else {
      log.kill();
    }
    isWeighed = false;
    log.appended().clear();
    doing = (failed ? "a failed log" : "a log") + (closes ? " closed" : " killed");
    try (Pensieve<String, String> next = openAsItWas()) {
      assertRecovered(contents(next), last, changes, failed || closes);
    }
  }

  private Pensieve<String, String> openAsItWas() {
    return Pensieve.<String, String>builder()
        .clock(() -> Instant.EPOCH) // nothing has expired
        .maximumEntries(2 * KEYS)
        .log(log.open(durability))
        .open();
  }

  private void close(Pensieve<String, String> map) {
    tries.incrementAndGet();
    doing = "close";
    arm(CALLS_MAX);
    try {
      map.close();
    } catch (RuntimeException | Error refused) {
      expectInjected(refused);
    } finally {
      disarm();
    }
    try {
      map.close(); // what could not be done the first time
    } catch (LogException | IllegalStateException asBefore) {
      expectInjected(asBefore);
    }
    if (!log.isFree()) {
      log.kill();
    }
  }

  private void assertRecovered(
      Map<String, String> found,
      Map<String, String> last,
      List<Appended> changes,
      boolean mayLack) {
    if (!mayLack) {
      assertEquals(last, found, () -> doing);
      return;
    }
    for (int length = changes.size(); length >= 0; length--) {
      if (fold(begun, changes.subList(0, length)).equals(found)) {
        return;
      }
    }
    throw new AssertionError(
        doing + ": " + found + " after " + last + " is no prefix of " + changes);
  }
}
