package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.ChangeStream.Sequenced;
import io.pensieve.log.Log;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
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
 * Several threads use a map whose weigher, comparator, clock, listener and functions fail now and
 * then. When they are done, and nobody does anything more, the map is within its bound, its parts
 * agree, its log has told what it holds, and no key is owned.
 */
@Tag(Depth.TAG)
class SeamFaultRaceTest {
  private static final int THREADS = 3;
  private static final int OPERATIONS = 60; // of each thread
  private static final int ROUNDS =
      Integer.getInteger("pensieve.injections", Depth.of(2_000, 100_000, 1_000_000)) / 40;
  private static final int KEYS = 6;
  private static final int WEIGHT_MAX = 12; // as much as a batch may have
  private static final long HANG_SECONDS = 120;

  private final Random seeds = Seed.random(SeamFaultRaceTest.class);
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
  private final SilencedLogger silencedLogger = new SilencedLogger();
  private final AtomicInteger struck = new AtomicInteger();
  private static final ThreadLocal<@Nullable Random> failing = new ThreadLocal<>();

  @AfterEach
  void end() {
    silencedLogger.close();
    threads.shutdownNow();
  }

  /** What a seam throws here. */
  private static final class InjectedError extends Error {
    private static final long serialVersionUID = 1L;

    InjectedError(String seam) {
      super("injected into " + seam, null, false, false);
    }
  }

  private void call(String seam) {
    Random random = failing.get();
    if (random != null && random.nextInt(24) == 0) {
      struck.incrementAndGet();
      throw new InjectedError(seam);
    }
  }

  @Test
  void whenAllIsQuietNothingIsOwnedAndNothingTooMuch() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      run(new Random(seeds.nextLong()), "round " + round);
    }
    System.out.println("SeamFaultRaceTest: " + struck + " calls failed");
    assertTrue(struck.get() > 10 * ROUNDS);
  }

  private void run(Random random, String round) throws Exception {
    int bound = 1 + random.nextInt(4);
    boolean isWeighed = random.nextInt(4) == 0;
    PensieveBuilder<String, String> builder =
        Pensieve.<String, String>builder()
            .maximumEntries(bound)
            .orderKeys(this::compare)
            .clock(clock())
            .removalListener((key, value, cause) -> call("listener"));
    if (isWeighed) {
      builder.maximumWeight(WEIGHT_MAX, this::weigh);
    }
    try (Pensieve<String, String> map = builder.log(Log.inMemory(1 << 12)).open()) {
      ChangeStream<String, String> changes = map.changes();
      if (random.nextBoolean()) {
        map.orderedKeys(); // writers keep the list from now on; else it is built at the end
      }
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        long seed = random.nextLong();
        running.add(threads.submit(() -> operate(map, new Random(seed))));
      }
      await(running, round);
      Map<String, String> contents = new HashMap<>();
      map.nodes().forEach(node -> contents.put(node.key(), String.valueOf(node.value())));
      assertTrue(contents.size() <= bound, () -> round + ": " + contents + " stays, of " + bound);
      long weight = contents.values().stream().mapToLong(SeamFaultRaceTest::weight).sum();
      assertTrue(!isWeighed || weight <= WEIGHT_MAX, () -> round + ": weighs " + weight);
      assertEquals(contents.size(), map.statistics().entries(), round);
      assertEquals(isWeighed ? weight : contents.size(), map.statistics().weight(), round);
      List<String> ordered = new ArrayList<>();
      map.orderedKeys().forEach(ordered::add);
      assertEquals(contents.keySet().stream().sorted().toList(), ordered, round);
      assertEquals(contents, fold(changes), () -> round + ": the log has what the map has");
      await(List.of(threads.submit(() -> visit(map))), round + ", a key stays owned");
    }
  }

  private static void await(List<Future<?>> running, String what) throws Exception {
    for (Future<?> one : running) {
      try {
        one.get(HANG_SECONDS, TimeUnit.SECONDS);
      } catch (TimeoutException hangs) {
        StringBuilder stacks = new StringBuilder(what).append(" hangs");
        Thread.getAllStackTraces()
            .forEach(
                (thread, frames) -> stacks.append("\n").append(thread).append(List.of(frames)));
        throw new AssertionError(stacks.toString(), hangs);
      }
    }
  }

  private static void visit(Pensieve<String, String> map) {
    for (int i = 0; i < KEYS; i++) {
      map.replaceIfVersion("k" + i, Long.MAX_VALUE, "never");
    }
  }

  private static Map<String, String> fold(ChangeStream<String, String> changes)
      throws InterruptedException {
    Map<String, String> fold = new HashMap<>();
    for (List<Sequenced<String, String>> next = changes.next(Duration.ZERO);
        !next.isEmpty();
        next = changes.next(Duration.ZERO)) {
      for (Sequenced<String, String> told : next) {
        if (told.change() instanceof Change.Put<String, String> put) {
          fold.put(put.key(), put.value());
        } else {
          fold.remove(told.change().key());
        }
      }
    }
    return fold;
  }

  private int compare(String one, String other) {
    call("comparator");
    return one.compareTo(other);
  }

  private static int weight(String value) {
    return 1 + value.length() % 4;
  }

  private int weigh(String key, String value) {
    call("weigher");
    return weight(value);
  }

  private InstantSource clock() {
    InstantSource system = InstantSource.system();
    return () -> {
      call("clock");
      return system.instant();
    };
  }

  private void operate(Pensieve<String, String> map, Random random) {
    failing.set(random);
    try {
      for (int i = 0; i < OPERATIONS; i++) {
        try {
          operate(map, random, "k" + random.nextInt(KEYS), "x".repeat(random.nextInt(9)));
        } catch (InjectedError expected) {
          // the operation failed, and nothing else
        }
      }
    } finally {
      failing.remove();
    }
  }

  private void operate(Pensieve<String, String> map, Random random, String key, String value) {
    switch (random.nextInt(10)) {
      case 0 -> map.remove(key);
      case 1 -> map.compute(key, (k, old) -> computed(random, value));
      case 2 -> map.computeIfAbsent(key, k -> computed(random, value));
      case 3 -> map.merge(key, value, (old, added) -> computed(random, value));
      case 4 -> map.get(key);
      case 5 -> {
        AtomicBatch<String, String> batch = new AtomicBatch<>();
        batch
            .put(key, value)
            .put("k" + random.nextInt(KEYS), value)
            .remove("k" + random.nextInt(KEYS));
        if (random.nextBoolean()) {
          batch.put("k" + random.nextInt(KEYS), value);
        }
        submit(map, batch);
      }
      default -> map.put(key, value);
    }
  }

  // Of a bound of 1, a batch of two is refused.
  private static void submit(Pensieve<String, String> map, AtomicBatch<String, String> batch) {
    try {
      map.writeAsync(batch);
    } catch (IllegalArgumentException tooLarge) {
      assertTrue(map.maximumEntries() < 4, tooLarge.toString());
    }
  }

  private @Nullable String computed(Random random, String value) {
    call("function");
    return random.nextInt(4) == 0 ? null : value;
  }
}
