package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.LogException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** Many threads at once: the bound, the log's order, user functions. */
@Timeout(120)
class ConcurrencyTest {
  private static final int THREADS = 8;
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
  private final RecordingLog<Integer, Integer> log = new RecordingLog<>();

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  @Test
  void aPutStormStaysWithinTheBoundAndTheWritersInFlight() throws Exception {
    for (int bound : new int[] {1, 2, 64, 1000}) {
      AtomicInteger entries = new AtomicInteger();
      AtomicInteger largest = new AtomicInteger();
      AtomicInteger keys = new AtomicInteger();
      RecordingLog<Integer, Integer> counting = new RecordingLog<>();
      counting.beforeAppend(
          change -> {
            int now = entries.addAndGet(change instanceof Change.Remove<Integer, Integer> ? -1 : 1);
            largest.accumulateAndGet(now, Math::max);
          });
      Pensieve<Integer, Integer> map =
          Pensieve.<Integer, Integer>builder().maximumEntries(bound).log(counting).open();
      everyThread(
          random -> {
            for (int i = 0; i < 20_000; i++) {
              map.put(keys.incrementAndGet(), i);
              assertTrue(map.size() <= bound + THREADS);
            }
          });
      assertTrue(largest.get() <= bound + THREADS, "at most " + largest + " of " + bound);
      assertEquals(bound, map.size(), "when all are done");
      assertEquals(bound, map.keySet().toArray().length, "and by counting them");
      assertEquals(bound, entries.get(), "and by the log");
    }
  }

  @Test
  void theVersionsOfAKeyGrowWithoutALogToo() throws Exception {
    Pensieve<Integer, Integer> map = Pensieve.<Integer, Integer>builder().maximumEntries(20).open();
    AtomicLongArray last = new AtomicLongArray(40);
    everyThread(
        random -> {
          for (int i = 0; i < 20_000; i++) {
            int key = random.nextInt(40);
            long before = last.get(key);
            long version =
                random.nextInt(5) == 0 ? map.removeAsync(key).version() : putOne(map, key);
            if (version > 0) {
              assertTrue(version > before, () -> "version " + version + " after " + before);
              last.accumulateAndGet(key, version, Math::max);
            }
          }
        });
    assertTrue(last.get(0) > 0);
  }

  private static long putOne(Pensieve<Integer, Integer> map, int key) {
    return map.putAsync(key, 1).version();
  }

  @Test
  void theLogFoldsToTheMapWhateverTheThreadsDo() throws Exception {
    Pensieve<Integer, Integer> map =
        Pensieve.<Integer, Integer>builder().maximumEntries(50).log(log).open();
    everyThread(
        random -> {
          for (int i = 0; i < 20_000; i++) {
            mix(map, random, random.nextInt(100));
          }
        });
    assertTrue(map.size() <= 50);
    assertEquals(log.fold(), map);
    map.close();
    List<Integer> kept = new ArrayList<>();
    map.nodes().forEach(node -> kept.add(node.key()));
    assertEquals(kept, List.copyOf(log.fold().keySet()), "the order is saved too");
  }

  private static void mix(Map<Integer, Integer> map, Random random, int key) {
    switch (random.nextInt(8)) {
      case 0 -> map.remove(key);
      case 1 -> map.putIfAbsent(key, random.nextInt());
      case 2 -> map.compute(key, (k, v) -> nextOrNull(v));
      case 3 -> map.entrySet().removeIf(entry -> entry.getKey() == key);
      case 4, 5 -> map.get(key);
      default -> map.put(key, random.nextInt());
    }
  }

  private static @Nullable Integer nextOrNull(@Nullable Integer value) {
    if (value == null) {
      return 1;
    }
    return value % 3 == 0 ? null : Integer.valueOf(value + 1);
  }

  @Test
  void mergesOfOneKeyAreNeverLost() throws Exception {
    Pensieve<Integer, Integer> map = Pensieve.<Integer, Integer>builder().log(log).open();
    everyThread(
        random -> {
          for (int i = 0; i < 10_000; i++) {
            map.merge(i % 3, 1, Integer::sum);
          }
        });
    assertEquals(
        THREADS * 10_000, map.values().stream().mapToInt(Integer::intValue).sum(), "merges");
  }

  @Test
  void oneThreadLoadsAKeyAndTheOthersWaitForIt() throws Exception {
    Pensieve<Integer, Integer> map = Pensieve.<Integer, Integer>builder().open();
    AtomicInteger loads = new AtomicInteger();
    everyThread(
        random -> {
          for (int key = 0; key < 500; key++) {
            Integer loaded =
                map.computeIfAbsent(
                    key,
                    k -> {
                      loads.incrementAndGet();
                      return -k;
                    });
            assertEquals(-key, loaded);
          }
        });
    assertEquals(500, loads.get());
  }

  @Test
  void aSlowFunctionHoldsUpItsOwnKeyAlone() throws Exception {
    Pensieve<Integer, Integer> map = Pensieve.<Integer, Integer>builder().maximumEntries(10).open();
    map.put(1, 1);
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    Future<Integer> slow =
        threads.submit(
            () ->
                map.compute(
                    1,
                    (key, value) -> {
                      started.countDown();
                      awaitUnchecked(release);
                      return 2;
                    }));
    started.await();
    for (int key = 2; key < 1_000; key++) {
      map.put(key, key);
    }
    assertEquals(1, map.get(1), "readers see the value before");
    release.countDown();
    assertEquals(2, slow.get());
    assertEquals(2, map.get(1));
    assertEquals(10, map.size());
  }

  @Test
  void aVictimThatIsWrittenBeforeItGoesStaysAndTheNextOneGoes() throws Exception {
    CountDownLatch writing = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    log.beforeAppend(
        change -> {
          if (change.equals(new Change.Put<>(1, 10))) {
            writing.countDown();
            awaitUnchecked(release);
          }
        });
    Pensieve<Integer, Integer> map =
        Pensieve.<Integer, Integer>builder().maximumEntries(2).log(log).open();
    map.put(1, 1);
    map.put(2, 2);
    Future<Integer> slowWrite = threads.submit(() -> map.put(1, 10));
    writing.await();
    Thread evictor = new Thread(() -> map.put(3, 3));
    evictor.start();
    while (evictor.getState() != Thread.State.TIMED_WAITING) {
      assertTrue(evictor.isAlive(), "it did not wait for the victim's write");
      Thread.onSpinWait();
    }
    release.countDown();
    evictor.join();
    assertEquals(1, slowWrite.get());
    assertEquals(Map.of(1, 10, 3, 3), Map.copyOf(map));
    assertEquals(log.fold(), map);
  }

  @Test
  void aFunctionThatWritesToItsOwnKeyIsRefused() {
    Pensieve<Integer, Integer> map = Pensieve.<Integer, Integer>builder().open();
    assertThrows(IllegalStateException.class, () -> map.computeIfAbsent(1, key -> map.put(key, 1)));
    assertNull(map.get(1));
    map.put(1, 1);
    assertThrows(
        IllegalStateException.class, () -> map.compute(1, (key, value) -> map.remove(key)));
    assertEquals(1, map.get(1));
  }

  /** Two of them could wait for each other's keys for ever. */
  @Test
  void aFunctionThatWritesToAnyKeyIsRefusedWhateverTheMethod() {
    Pensieve<Integer, Integer> map = Pensieve.<Integer, Integer>builder().log(log).open();
    map.put(1, 1);
    map.put(2, 2);
    List<Consumer<Integer>> writes =
        List.of(
            key -> map.put(key, 9),
            key -> map.putAsync(key, 9),
            key -> map.putIfAbsent(key, 9),
            key -> map.remove(key),
            key -> map.remove(key, 2),
            key -> map.replace(key, 9),
            key -> map.replace(key, 2, 9),
            key -> map.replaceIfVersion(key, 2, 9),
            key -> map.removeIfVersion(key, 2),
            key -> map.compute(key, (k, v) -> 9),
            key -> map.computeIfAbsent(key, k -> 9),
            key -> map.computeIfPresent(key, (k, v) -> 9),
            key -> map.merge(key, 9, Integer::sum),
            key -> map.writeAsync(new AtomicBatch<Integer, Integer>().put(key, 9)),
            key -> map.changes(),
            key -> map.keySet().removeIf(k -> true),
            key -> map.entrySet().iterator().next().setValue(9),
            key -> map.clear());
    for (Consumer<Integer> write : writes) {
      for (int key = 1; key <= 3; key++) {
        Integer target = key;
        assertRefused(() -> map.compute(1, (k, v) -> writing(write, target)));
        assertRefused(() -> map.computeIfAbsent(4, k -> writing(write, target)));
        assertRefused(() -> map.merge(1, 9, (v, w) -> writing(write, target)));
      }
    }
    assertEquals(Map.of(1, 1, 2, 2), map);
    assertEquals(2, map.compute(1, (key, value) -> map.get(2)), "reading is not refused");
    map.put(3, 3);
    assertEquals(log.fold(), map);
  }

  private static Integer writing(Consumer<Integer> write, Integer key) {
    write.accept(key);
    return 7;
  }

  private static void assertRefused(Executable write) {
    IllegalStateException refused = assertThrows(IllegalStateException.class, write);
    assertTrue(String.valueOf(refused.getMessage()).startsWith("recursive update"));
  }

  @Test
  void functionsThatWriteToEachOthersKeysAreBothRefused() throws Exception {
    Pensieve<Integer, Integer> map = Pensieve.<Integer, Integer>builder().log(log).open();
    CyclicBarrier both = new CyclicBarrier(2);
    List<Future<Integer>> loads = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      Integer own = i;
      Integer others = 1 - i;
      loads.add(
          threads.submit(
              () ->
                  map.computeIfAbsent(
                      own,
                      key -> {
                        awaitUnchecked(both);
                        return map.merge(others, 1, Integer::sum);
                      })));
    }
    for (Future<Integer> load : loads) {
      ExecutionException refused =
          assertThrows(ExecutionException.class, () -> load.get(2, TimeUnit.MINUTES));
      assertEquals(IllegalStateException.class, requireNonNull(refused.getCause()).getClass());
    }
    assertEquals(Map.of(), map);
    assertNull(map.put(0, 0));
    assertNull(map.put(1, 1));
  }

  private static void awaitUnchecked(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (InterruptedException | BrokenBarrierException stopped) {
      throw new IllegalStateException(stopped);
    }
  }

  /** An evictor that comes upon keys that are computed leaves its overflow to the functions. */
  @Test
  void aFunctionThatThrowsEvictsTheOverflowThatWasLeftToIt() throws Exception {
    for (int trial = 0; trial < 60; trial++) {
      Pensieve<Integer, Integer> map =
          Pensieve.<Integer, Integer>builder().maximumEntries(1).open();
      map.put(1, 1);
      CountDownLatch started = new CountDownLatch(2);
      CountDownLatch release = new CountDownLatch(1);
      List<Future<Integer>> functions = new ArrayList<>();
      functions.add(threads.submit(() -> map.compute(1, throwing(started, release))));
      for (int i = 0; i < 3; i++) {
        // One of them puts the key. Another one may compute it before it is evicted.
        functions.add(threads.submit(() -> map.compute(2, throwing(started, release))));
      }
      boolean ignored = started.await(10, TimeUnit.MILLISECONDS);
      release.countDown();
      for (Future<Integer> function : functions) {
        awaitEnd(function);
      }
      assertEquals(1, map.size());
    }
  }

  private static void awaitEnd(Future<?> function) throws InterruptedException {
    try {
      function.get();
    } catch (ExecutionException thrownByTheFunction) {
      // As it should.
    }
  }

  private static BiFunction<Integer, @Nullable Integer, Integer> throwing(
      CountDownLatch started, CountDownLatch release) {
    return (key, value) -> {
      if (value == null) {
        return 2;
      }
      started.countDown();
      awaitUnchecked(release);
      throw new IllegalArgumentException("thrown by a test's function");
    };
  }

  @Test
  void aFunctionThatThrowsChangesNothing() {
    Pensieve<Integer, Integer> map = Pensieve.<Integer, Integer>builder().log(log).open();
    assertThrows(
        ArithmeticException.class, () -> map.computeIfAbsent(1, key -> Math.floorDiv(1, 0)));
    assertEquals(0, map.size());
    assertTrue(log.history().isEmpty());
    assertNull(map.put(1, 1), "the key is free");
  }

  @Test
  void aWriteThatTheLogRefusesChangesNothing() {
    Pensieve<Integer, Integer> map =
        Pensieve.<Integer, Integer>builder().maximumEntries(2).log(log).open();
    map.put(1, 1);
    map.put(2, 2);
    log.fail(new LogException.Full("no room"));
    assertThrows(LogException.Full.class, () -> map.put(1, 10));
    assertThrows(LogException.Full.class, () -> map.put(3, 3));
    assertThrows(LogException.Full.class, () -> map.remove(2));
    assertThrows(LogException.Full.class, () -> map.merge(1, 1, Integer::sum));
    assertThrows(LogException.Full.class, map::clear);
    assertEquals(Map.of(1, 1, 2, 2), map);
    assertEquals(log.fold(), map);
  }

  @Test
  void aReaderNeverSeesAValueThatWasNotWritten() throws Exception {
    Pensieve<Integer, Integer> map = Pensieve.<Integer, Integer>builder().maximumEntries(20).open();
    AtomicLong seen = new AtomicLong();
    everyThread(
        random -> {
          for (int i = 0; i < 50_000; i++) {
            int key = random.nextInt(40);
            if (random.nextInt(4) == 0) {
              map.put(key, key * 1_000 + random.nextInt(1_000));
            } else {
              Integer value = map.get(key);
              if (value != null) {
                assertEquals(key, value / 1_000);
                seen.incrementAndGet();
              }
            }
          }
        });
    assertTrue(seen.get() > 0);
  }

  private static void everyThread(ParallelRun.Work work) throws Exception {
    ParallelRun.run(THREADS, ConcurrencyTest.class, work);
  }

  private static void awaitUnchecked(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException stopped) {
      throw new IllegalStateException(stopped);
    }
  }
}
