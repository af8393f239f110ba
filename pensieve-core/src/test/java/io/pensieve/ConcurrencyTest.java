package io.pensieve;

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
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

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
      Pensieve<Integer, Integer> map =
          Pensieve.<Integer, Integer>builder().maximumEntries(bound).open();
      AtomicInteger largest = new AtomicInteger();
      AtomicInteger keys = new AtomicInteger();
      everyThread(
          random -> {
            for (int i = 0; i < 20_000; i++) {
              map.put(keys.incrementAndGet(), i);
              largest.accumulateAndGet(map.size(), Math::max);
            }
          });
      assertTrue(largest.get() <= bound + THREADS, "at most " + largest + " of " + bound);
      assertEquals(bound, map.size(), "when all are done");
    }
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
    map.coldestFirst().forEach(node -> kept.add(node.key()));
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

  @Test
  void aFunctionThatOverflowsTheMapDoesNotBreakTheBound() {
    Pensieve<Integer, Integer> map =
        Pensieve.<Integer, Integer>builder().maximumEntries(1).log(log).open();
    map.put(1, 1);
    map.compute(1, (key, value) -> map.put(2, 2) == null ? 10 : 20);
    assertEquals(1, map.size());
    assertEquals(log.fold(), map);
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

  private interface Work {
    void run(Random random) throws Exception;
  }

  private void everyThread(Work work) throws Exception {
    Random seeds = Seed.random(ConcurrencyTest.class);
    CountDownLatch start = new CountDownLatch(1);
    List<Callable<Void>> calls = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      Random random = new Random(seeds.nextLong());
      calls.add(
          () -> {
            start.await();
            work.run(random);
            return null;
          });
    }
    List<Future<Void>> running = new ArrayList<>();
    calls.forEach(call -> running.add(threads.submit(call)));
    start.countDown();
    for (Future<Void> one : running) {
      one.get();
    }
  }

  private static void awaitUnchecked(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException stopped) {
      throw new IllegalStateException(stopped);
    }
  }
}
