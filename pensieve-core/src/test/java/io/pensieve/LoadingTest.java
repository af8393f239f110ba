package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Values that a slow service has: each is asked for once, whoever needs it. */
@Timeout(120)
class LoadingTest {
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final RecordingLog<String, Integer> log = new RecordingLog<>();
  private final Pensieve<String, Integer> map =
      Pensieve.<String, Integer>builder().log(log).recordStatistics().open();

  @AfterEach
  void theLogHasTheSame() {
    threads.shutdownNow();
    assertEquals(log.fold(), map);
    map.close();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException unexpected) {
      throw new AssertionError(unexpected);
    }
  }

  private static Map<String, Integer> lengths(Set<String> keys) {
    Map<String, Integer> lengths = new HashMap<>();
    keys.forEach(key -> lengths.put(key, key.length()));
    return lengths;
  }

  @Test
  void aValueIsLoadedOnceForAllWhoAskMeanwhile() throws Exception {
    AtomicInteger loads = new AtomicInteger();
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch asked = new CountDownLatch(1);
    Function<String, Integer> loader =
        key -> {
          begun.countDown();
          await(asked);
          return loads.incrementAndGet();
        };
    List<CompletableFuture<Integer>> answers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      answers.add(CompletableFuture.supplyAsync(() -> map.get("a", loader), threads));
    }
    begun.await();
    map.put("b", 2); // nothing is locked meanwhile, not even this key
    assertEquals(2, map.get("b", loader));
    asked.countDown();
    for (CompletableFuture<Integer> answer : answers) {
      assertEquals(1, answer.join());
    }
    assertEquals(1, map.get("a", loader));
    assertEquals(1, loads.get());
  }

  @Test
  void aLoaderMayUseTheMapButNotAskForItsOwnKey() {
    assertEquals(
        3,
        map.get(
            "fib4",
            key -> {
              map.put("fib2", 1);
              return Stream.of(map.get("fib3", other -> 2), map.get("fib2", other -> 0))
                  .mapToInt(Objects::requireNonNull)
                  .sum();
            }));
    assertEquals(Map.of("fib4", 3, "fib3", 2, "fib2", 1), map);
    assertThrows(IllegalStateException.class, () -> map.get("x", key -> map.get(key, other -> 1)));
    assertThrows(
        IllegalStateException.class,
        () -> map.compute("y", (key, value) -> map.get("z", other -> 1)));
    assertEquals(7, map.get("x", key -> 7), "and the key is free again");
  }

  @Test
  void whatIsPutWhileALoaderRunsStays() {
    assertEquals(
        1,
        map.get(
            "a",
            key -> {
              map.put(key, 1);
              return 2;
            }));
    assertEquals(1, map.get("a"));
  }

  @Test
  void aFailureReachesAllWhoWaitAndTheNextTriesAgain() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch joined = new CountDownLatch(1);
    IllegalArgumentException down = new IllegalArgumentException("the service is down");
    CompletableFuture<Integer> first =
        CompletableFuture.supplyAsync(
            () ->
                map.get(
                    "a",
                    key -> {
                      begun.countDown();
                      await(joined);
                      throw down;
                    }),
            threads);
    begun.await();
    CompletableFuture<Throwable> second = new CompletableFuture<>();
    Thread waiter =
        new Thread(
            () -> second.complete(assertThrows(Throwable.class, () -> map.get("a", key -> 1))));
    waiter.start();
    while (waiter.getState() != Thread.State.WAITING) {
      LockSupport.parkNanos(1_000_000);
    }
    joined.countDown();
    assertSame(down, assertThrows(CompletionException.class, first::join).getCause());
    assertSame(down, second.join());
    assertNull(map.get("a", key -> null), "no value is none");
    assertEquals(1, map.get("a", key -> 1));
    Statistics counted = map.statistics();
    assertEquals(List.of(1L, 2L), List.of(counted.loads(), counted.loadFailures()));
    assertTrue(counted.loadTime().toNanos() > 0);
  }

  @Test
  void severalKeysAreLoadedTogetherInTheOrderAskedFor() {
    map.put("bb", 20);
    List<Set<String>> asked = new ArrayList<>();
    Function<Set<String>, Map<String, Integer>> loader =
        keys -> {
          asked.add(Set.copyOf(keys));
          Map<String, Integer> lengths = lengths(keys);
          lengths.remove("none");
          lengths.put("unasked", 0);
          return lengths;
        };
    Map<String, Integer> expected = new LinkedHashMap<>();
    expected.put("ccc", 3);
    expected.put("bb", 20);
    expected.put("a", 1);
    assertEquals(
        List.copyOf(expected.entrySet()),
        List.copyOf(map.getAll(List.of("ccc", "bb", "none", "a", "ccc"), loader).entrySet()));
    assertEquals(List.of(Set.of("ccc", "none", "a")), asked);
    assertEquals(Map.of("a", 1, "bb", 20, "ccc", 3), map);
    assertEquals(Map.of("a", 1), map.getAll(List.of("a"), loader));
    assertEquals(1, asked.size());
  }

  @Test
  void aBulkLoadLeavesOutWhatOthersLoadAndWaitsForThem() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    CompletableFuture<Integer> single =
        CompletableFuture.supplyAsync(
            () ->
                map.get(
                    "a",
                    key -> {
                      begun.countDown();
                      await(goOn);
                      return 100;
                    }),
            threads);
    begun.await();
    Map<String, Integer> all =
        map.getAll(
            List.of("a", "bb"),
            keys -> {
              assertEquals(Set.of("bb"), keys);
              goOn.countDown();
              return lengths(keys);
            });
    assertEquals(Map.of("a", 100, "bb", 2), all);
    assertEquals(100, single.join());
  }

  @Test
  void aBulkLoadThatFailsFreesItsKeys() {
    assertThrows(
        IllegalArgumentException.class,
        () ->
            map.getAll(
                List.of("a", "bb"),
                keys -> {
                  throw new IllegalArgumentException("down");
                }));
    assertThrows(
        IllegalStateException.class,
        () -> map.getAll(List.of("a", "bb"), keys -> Map.of("a", map.get("bb", key -> 0))));
    assertEquals(Map.of("a", 1, "bb", 2), map.getAll(List.of("a", "bb"), LoadingTest::lengths));
  }

  /** A key that does something when it is looked for the second time. */
  private record Meddler(String name, AtomicInteger looks, Runnable action) {
    @Override
    public int hashCode() {
      if (looks.incrementAndGet() == 2) {
        action.run();
      }
      return name.hashCode();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Meddler key && key.name.equals(name);
    }
  }

  @Test
  void whatWasLoadedSinceAThreadFoundNothingIsNotLoadedAgain() {
    AtomicInteger loads = new AtomicInteger();
    try (Pensieve<Meddler, Integer> meddled = Pensieve.<Meddler, Integer>builder().open()) {
      Meddler other = new Meddler("a", new AtomicInteger(), () -> {});
      Runnable load = () -> meddled.get(other, key -> loads.incrementAndGet());
      Meddler key = new Meddler("a", new AtomicInteger(), load);
      assertEquals(1, meddled.get(key, any -> loads.incrementAndGet()));
      Meddler again = new Meddler("b", new AtomicInteger(), () -> {});
      Runnable loadB = () -> meddled.get(again, any -> loads.incrementAndGet());
      Meddler b = new Meddler("b", new AtomicInteger(), loadB);
      assertEquals(
          Map.of(again, 2), meddled.getAll(List.of(b), keys -> Map.of(again, loads.get() + 9)));
    }
    assertEquals(2, loads.get());
  }

  @Test
  void underManyThreadsNoKeyIsLoadedTwice() throws Exception {
    Map<String, AtomicInteger> loads = new ConcurrentHashMap<>();
    Function<Set<String>, Map<String, Integer>> bulk =
        keys -> {
          keys.forEach(
              key -> loads.computeIfAbsent(key, any -> new AtomicInteger()).incrementAndGet());
          return lengths(keys);
        };
    ParallelRun.run(
        6,
        LoadingTest.class,
        random -> {
          for (int i = 0; i < 1_000; i++) {
            List<String> keys = new ArrayList<>();
            for (int j = random.nextInt(5); j >= 0; j--) {
              keys.add("k" + random.nextInt(500));
            }
            assertEquals(lengths(Set.copyOf(keys)), map.getAll(keys, bulk));
            String key = "k" + random.nextInt(500);
            assertEquals(key.length(), map.get(key, any -> bulk.apply(Set.of(any)).get(any)));
          }
        });
    loads.forEach((key, times) -> assertEquals(1, times.get(), key));
  }
}
