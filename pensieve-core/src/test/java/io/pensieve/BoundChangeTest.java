package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The bounds of a map that is open, changed by an operator who does not want to restart. */
@Timeout(120)
class BoundChangeTest {
  private final RecordingLog<Integer, Integer> log = new RecordingLog<>();

  private Pensieve<Integer, Integer> open(long entries, Log<Integer, Integer> on) {
    return Pensieve.<Integer, Integer>builder().maximumEntries(entries).log(on).open();
  }

  private Pensieve<Integer, Integer> weighing(long maximumWeight) {
    return Pensieve.<Integer, Integer>builder()
        .maximumWeight(maximumWeight, (key, value) -> value)
        .log(log)
        .open();
  }

  private static void fill(Pensieve<Integer, Integer> map, int from, int to) {
    for (int i = from; i < to; i++) {
      map.put(i, i);
    }
  }

  private static Stream<Integer> keys(Iterable<Map.Entry<Integer, Integer>> entries) {
    return StreamSupport.stream(entries.spliterator(), false).map(Map.Entry::getKey);
  }

  @Test
  void anOperatorGrowsAMapAndShrinksItAgain() {
    Pensieve<Integer, Integer> map = open(3, log);
    fill(map, 0, 5);
    assertEquals(Map.of(2, 2, 3, 3, 4, 4), map);
    map.maximumEntries(1_000);
    assertEquals(1_000, map.maximumEntries());
    fill(map, 5, 2_000);
    assertEquals(1_000, map.size());
    for (int i = 1_000; i < 1_010; i++) {
      map.get(i);
    }
    map.maximumEntries(12);
    assertEquals(
        List.of(1_998, 1_999, 1_000, 1_001, 1_002, 1_003, 1_004, 1_005, 1_006, 1_007, 1_008, 1_009),
        keys(map.coldestFirst()).toList(),
        "the most recently used are left");
    assertEquals(log.fold(), map);
    map.close();
    try (var again = open(1_000, log.reopened())) {
      assertEquals(1_000, again.maximumEntries(), "the builder's bound");
      assertEquals(12, again.size());
    }
  }

  @Test
  void aBoundOfWeightShrinksByTheTooHeavyFirst() {
    Pensieve<Integer, Integer> map = weighing(100);
    fill(map, 1, 10);
    map.put(50, 50);
    map.maximumWeight(20);
    assertEquals(Map.of(8, 8, 9, 9), map);
    assertThrows(IllegalArgumentException.class, () -> map.put(21, 21));
    map.maximumWeight(Long.MAX_VALUE);
    map.put(1_000, 1_000);
    assertEquals(1_017, map.weight());
    assertEquals(log.fold(), map);
  }

  @Test
  void whatCannotBeABoundIsRefused() {
    Pensieve<Integer, Integer> map = open(3, log);
    assertThrows(IllegalArgumentException.class, () -> map.maximumEntries(0));
    assertThrows(IllegalStateException.class, () -> map.maximumWeight(10));
    assertEquals(Long.MAX_VALUE, map.maximumWeight());
    assertThrows(IllegalArgumentException.class, () -> weighing(3).maximumWeight(0));
    assertThrows(
        IllegalStateException.class,
        () ->
            map.computeIfAbsent(
                1,
                key -> {
                  map.maximumEntries(1);
                  return key;
                }));
    fill(map, 0, 3);
    map.close();
    assertThrows(IllegalStateException.class, () -> map.maximumEntries(1));
    assertEquals(3, map.maximumEntries());
  }

  @Test
  void ifTheLogRefusesTheBoundIsWhatIsLeft() {
    Pensieve<Integer, Integer> map = open(100, log);
    fill(map, 0, 100);
    AtomicInteger accepted = new AtomicInteger(10);
    log.beforeAppend(
        change -> {
          if (accepted.decrementAndGet() < 0) {
            throw new LogException.Overloaded("too much at once");
          }
        });
    assertThrows(LogException.Overloaded.class, () -> map.maximumEntries(50));
    assertEquals(90, map.maximumEntries());
    assertEquals(90, map.size());
    accepted.set(Integer.MAX_VALUE);
    fill(map, 100, 101);
    assertEquals(90, map.size());
    map.maximumEntries(50);
    assertEquals(50, map.size());
    assertEquals(log.fold(), map);
  }

  @Test
  void aStandbyAppliesTheBoundWhenItLeads() {
    FakeReplicatedLog<Integer, Integer> replicated = new FakeReplicatedLog<>();
    for (int i = 1; i <= 10; i++) {
      replicated.saved(i, i, i);
    }
    try (var map = open(10, replicated)) {
      map.maximumEntries(4);
      assertEquals(4, map.maximumEntries());
      assertEquals(10, map.size(), "a standby has what its log applies");
      replicated.lead(100);
      replicated.acknowledgeAll();
      assertEquals(Map.of(7, 7, 8, 8, 9, 9, 10, 10), Map.copyOf(map));
    }
  }

  @Test
  void aWriterWhoComesMeanwhileEvictsOnlyAFew() throws Exception {
    Map<Thread, AtomicInteger> evictions = new ConcurrentHashMap<>();
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch written = new CountDownLatch(1);
    Thread writer = Thread.currentThread();
    Pensieve<Integer, Integer> map =
        Pensieve.<Integer, Integer>builder()
            .maximumEntries(10_000)
            .removalListener(
                (key, value, cause) -> {
                  evictions
                      .computeIfAbsent(Thread.currentThread(), any -> new AtomicInteger())
                      .incrementAndGet();
                  if (Thread.currentThread() != writer) {
                    begun.countDown();
                    awaitUninterruptibly(written);
                  }
                })
            .log(log)
            .open();
    fill(map, 0, 10_000);
    CompletableFuture<Void> shrinking = CompletableFuture.runAsync(() -> map.maximumEntries(10));
    begun.await();
    map.put(20_000, 0);
    assertTrue(requireNonNull(evictions.get(writer)).get() < 20, "and not 10,000: " + evictions);
    map.put(0, 0);
    written.countDown();
    shrinking.join();
    assertEquals(10, map.size());
    assertEquals(log.fold(), map);
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException unexpected) {
      throw new AssertionError(unexpected);
    }
  }

  /** Waits until another thread has stored the bound; the test's timeout ends it. */
  private static void awaitBound(Pensieve<Integer, Integer> map, long maximumWeight) {
    while (map.maximumWeight() != maximumWeight) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Test
  void anEntryBeingWrittenThatIsTooHeavyByThenDrivesOutNoOther() {
    Pensieve<Integer, Integer> map = weighing(100);
    fill(map, 1, 4);
    List<CompletableFuture<Void>> shrinking = new ArrayList<>();
    log.beforeAppend(
        change -> {
          if (change.key() == 50 && change instanceof Change.Put) {
            shrinking.add(CompletableFuture.runAsync(() -> map.maximumWeight(20)));
            awaitBound(map, 20);
          }
        });
    map.put(50, 50);
    shrinking.forEach(CompletableFuture::join);
    assertEquals(Map.of(1, 1, 2, 2, 3, 3), map);
    assertEquals(log.fold(), map);
  }

  @Test
  void aFunctionThatReturnsWhatIsTooHeavyByThenIsRefused() {
    Pensieve<Integer, Integer> map = weighing(100);
    fill(map, 1, 4);
    map.put(50, 50);
    List<CompletableFuture<Void>> shrinking = new ArrayList<>();
    for (int key : List.of(4, 50)) { // an entry that is new, and one that is too heavy already
      map.maximumWeight(100);
      map.computeIfAbsent(50, any -> 50);
      assertThrows(
          IllegalArgumentException.class,
          () ->
              map.compute(
                  key,
                  (any, old) -> {
                    shrinking.add(CompletableFuture.runAsync(() -> map.maximumWeight(20)));
                    awaitBound(map, 20);
                    return 60;
                  }));
      shrinking.forEach(CompletableFuture::join);
      assertEquals(Map.of(1, 1, 2, 2, 3, 3), map);
    }
    assertEquals(log.fold(), map);
  }

  @Test
  void aWriterWhoWaitedForTheKeyIsRefusedByTheNewBound() throws Exception {
    Pensieve<Integer, Integer> map = weighing(100);
    fill(map, 1, 4);
    CountDownLatch computing = new CountDownLatch(1);
    CountDownLatch shrunk = new CountDownLatch(1);
    CompletableFuture<Void> slow =
        CompletableFuture.runAsync(
            () ->
                map.compute(
                    1,
                    (key, value) -> {
                      computing.countDown();
                      awaitUninterruptibly(shrunk);
                      return value;
                    }));
    computing.await();
    CompletableFuture<Integer> put = new CompletableFuture<>();
    Thread writer = new Thread(() -> put.completeAsync(() -> map.put(1, 50), Runnable::run));
    writer.start();
    while (writer.getState() != Thread.State.TIMED_WAITING) { // for the key; it was weighed before
      LockSupport.parkNanos(1_000_000);
    }
    map.maximumWeight(20);
    shrunk.countDown();
    slow.join();
    CompletionException thrown = assertThrows(CompletionException.class, put::join);
    assertInstanceOf(IllegalArgumentException.class, thrown.getCause());
    assertEquals(Map.of(1, 1, 2, 2, 3, 3), map);
    assertEquals(log.fold(), map);
  }

  @Test
  void theBoundsHoldWhateverTheThreadsDoMeanwhile() throws Exception {
    int threads = 6;
    AtomicLong turns = new AtomicLong();
    Pensieve<Integer, Integer> map =
        Pensieve.<Integer, Integer>builder()
            .maximumEntries(64)
            .maximumWeight(500, (key, value) -> value)
            .log(log)
            .open();
    ParallelRun.run(
        threads,
        BoundChangeTest.class,
        random -> {
          boolean changes = turns.incrementAndGet() % 3 == 0;
          for (int i = 0; i < 6_000; i++) {
            int key = random.nextInt(200);
            int value = random.nextInt(10);
            if (changes && i % 20 == 0) {
              map.maximumEntries(1 + random.nextInt(100));
              map.maximumWeight(10 + random.nextInt(500));
            }
            switch (random.nextInt(8)) {
              case 0 -> map.remove(key);
              case 1 -> map.compute(key, (k, v) -> v == null ? 1 : (v + 1) % 10);
              case 2 -> map.get(key);
              case 3 ->
                  assertInstanceOf(
                      BatchResult.class,
                      map.writeAsync(new AtomicBatch<Integer, Integer>().put(key, value)));
              default -> map.put(key, value);
            }
            assertTrue(map.size() <= 100 + threads, "more than any bound");
          }
        });
    assertTrue(map.size() <= map.maximumEntries());
    assertTrue(map.weight() <= map.maximumWeight());
    assertEquals(map.values().stream().mapToLong(Integer::longValue).sum(), map.weight());
    assertEquals(log.fold(), map);
    map.maximumEntries(1);
    assertTrue(map.size() <= 1);
  }

  @Test
  void anotherThreadsFailureReachesTheCaller() {
    Pensieve<Integer, Integer> map = open(10, log);
    fill(map, 0, 10);
    log.fail(new LogException.Failed("the disk is gone", null));
    CompletionException thrown =
        assertThrows(
            CompletionException.class,
            () -> CompletableFuture.runAsync(() -> map.maximumEntries(1)).join());
    assertInstanceOf(LogException.Failed.class, thrown.getCause());
    assertEquals(10, map.maximumEntries());
    map.maximumEntries(20);
    assertEquals(20, map.maximumEntries(), "to grow needs no log");
  }
}
