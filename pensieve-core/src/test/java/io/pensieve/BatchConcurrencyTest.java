package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.BatchResult.OperationResult;
import io.pensieve.log.Change;
import io.pensieve.log.Log;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Batches beside each other, and beside everything else that a map does. */
@Timeout(120)
class BatchConcurrencyTest {
  private static final int THREADS = 8;
  private static final int ACCOUNTS = 6;
  private final RecordingLog<Integer, Long> log = new RecordingLog<>();

  private static final NumberCodec<Long> LONGS =
      new NumberCodec<>() {
        @Override
        public long toLong(Long value) {
          return value;
        }

        @Override
        public Long toValue(long number) {
          return number;
        }
      };

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatIsMovedInBatchesIsNeitherLostNorSeenTwice(boolean logged) throws Exception {
    Pensieve<Integer, Long> map =
        Pensieve.<Integer, Long>builder()
            .maximumEntries(ACCOUNTS + 20)
            .log(logged ? log : Log.none())
            .open();
    AtomicInteger looks = new AtomicInteger();
    ParallelRun.run(
        THREADS,
        BatchConcurrencyTest.class,
        random -> {
          for (int i = 0; i < 3_000; i++) {
            switch (random.nextInt(4)) {
              case 0 -> assertEquals(0, total(map, looks));
              case 1 -> map.compute(random.nextInt(ACCOUNTS), (key, value) -> value);
              case 2 -> map.put(ACCOUNTS + random.nextInt(20), 1L);
              default -> move(map, random);
            }
          }
        });
    assertEquals(0, total(map, looks));
    assertTrue(looks.get() > 1_000, "many looked");
    if (logged) {
      assertEquals(log.fold(), map);
      assertEveryPrefixOfTheLogIsBalanced();
    }
    map.close();
  }

  private static void move(Pensieve<Integer, Long> map, Random random) {
    int from = random.nextInt(ACCOUNTS);
    int to = random.nextInt(ACCOUNTS);
    int amount = random.nextInt(100);
    map.writeAsync(
        new AtomicBatch<Integer, Long>()
            .increment(from, -amount, LONGS)
            .increment(to, amount, LONGS));
  }

  private static long total(Pensieve<Integer, Long> map, AtomicInteger looks) {
    AtomicBatch<Integer, Long> all = new AtomicBatch<>();
    for (int account = 0; account < ACCOUNTS; account++) {
      all.get(account);
    }
    looks.incrementAndGet();
    long total = 0;
    for (OperationResult<Long> operationResult : map.writeAsync(all).results()) {
      total += operationResult.previous() == null ? 0 : operationResult.previous();
    }
    return total;
  }

  // Of accounts only: what is moved to the account that it comes from is logged as one change.
  private void assertEveryPrefixOfTheLogIsBalanced() {
    Map<Integer, Long> folded = new HashMap<>();
    for (List<Change<Integer, Long>> group : log.groups()) {
      for (Change<Integer, Long> change : group) {
        folded.put(change.key(), ((Change.Put<Integer, Long>) change).value());
      }
      assertEquals(
          0, folded.values().stream().mapToLong(Long::longValue).sum(), () -> "after " + group);
    }
    assertTrue(log.groups().size() > 100);
  }

  @Test
  void theLogFoldsToTheMapAndTheBoundHoldsWhateverIsEvictedMeanwhile() throws Exception {
    Pensieve<Integer, Long> map =
        Pensieve.<Integer, Long>builder().maximumEntries(50).log(log).open();
    ParallelRun.run(
        THREADS,
        BatchConcurrencyTest.class,
        random -> {
          for (int i = 0; i < 5_000; i++) {
            mix(map, random);
            assertTrue(map.size() <= 50 + THREADS * 6);
          }
        });
    assertEquals(map.size(), map.keySet().toArray().length);
    assertEquals(log.fold(), map);
    for (int key = 0; key < 100; key++) {
      map.put(key, 1L);
    }
    assertEquals(50, map.size(), "no entry is counted that is not there");
    assertEquals(50, map.keySet().toArray().length);
    map.close();
  }

  private static void mix(Pensieve<Integer, Long> map, Random random) {
    AtomicBatch<Integer, Long> batch = new AtomicBatch<>();
    for (int i = 0; i < 6; i++) {
      int key = random.nextInt(100);
      switch (random.nextInt(10)) {
        case 0 -> batch.remove(key);
        case 1 -> batch.get(key);
        case 2 -> batch.increment(key, 1, LONGS);
        case 3 -> map.remove(key);
        case 4 -> map.compute(key, (k, value) -> value == null ? 1L : null);
        case 5 -> map.writeAsync(Write.put(key, 1L).ttl(Duration.ofHours(1)));
        default -> batch.put(key, random.nextLong());
      }
    }
    map.writeAsync(batch);
  }

  @Test
  void oneOfManyWhoRequireTheSameVersionGetsIt() throws Exception {
    Pensieve<Integer, Long> map = Pensieve.<Integer, Long>builder().log(log).open();
    AtomicInteger applied = new AtomicInteger();
    long first = map.putAsync(0, 0L).version();
    AtomicBatch<Integer, Long> batch = new AtomicBatch<>();
    batch.requireVersion(0, first).put(0, 1L).requireAbsent(1).put(1, 1L);
    ParallelRun.run(
        THREADS,
        BatchConcurrencyTest.class,
        random -> {
          if (map.writeAsync(batch).applied()) {
            applied.incrementAndGet();
          }
        });
    assertEquals(1, applied.get());
    map.close();
  }

  /** A batch that waits for a function holds up nobody who needs another one of its keys. */
  @Test
  void aBatchOwnsNothingWhileItWaitsForASlowFunction() throws Exception {
    Pensieve<Integer, Long> map = Pensieve.<Integer, Long>builder().log(log).open();
    ExecutorService others = Executors.newCachedThreadPool();
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    try {
      map.put(1, 1L);
      Future<Long> slow = others.submit(() -> map.compute(5, (key, value) -> slow(begun, end)));
      begun.await();
      AtomicReference<Thread> thread = new AtomicReference<>();
      AtomicBatch<Integer, Long> batch = new AtomicBatch<>();
      batch.get(0).put(1, 2L).increment(5, 1, LONGS);
      Future<BatchResult<Long>> waiting =
          others.submit(
              () -> {
                thread.set(Thread.currentThread());
                return map.writeAsync(batch);
              });
      awaitBlocked(thread);
      // Both keys come before the one that it waits for.
      assertNull(others.submit(() -> map.put(0, 7L)).get(2, TimeUnit.MINUTES));
      assertEquals(1L, others.submit(() -> map.put(1, 3L)).get(2, TimeUnit.MINUTES));
      assertFalse(waiting.isDone());
      end.countDown();
      assertEquals(42L, slow.get());
      List<OperationResult<Long>> results = waiting.get().results();
      assertEquals(7L, results.get(0).previous());
      assertEquals(3L, results.get(1).previous());
      assertEquals(43L, map.get(5));
    } finally {
      end.countDown();
      others.shutdownNow();
    }
    map.close();
  }

  /** A function that comes next at one of its keys may wait for a write of another one. */
  @Test
  void aBatchThatIsOverGivesBackAllItsKeysBeforeItWaitsForAnyone() throws Exception {
    Pensieve<Integer, Long> map = Pensieve.<Integer, Long>builder().open();
    ExecutorService others = Executors.newCachedThreadPool();
    try {
      for (int trial = 0; trial < 300; trial++) {
        CountDownLatch deciding = new CountDownLatch(1);
        CyclicBarrier end = new CyclicBarrier(2);
        AtomicBatch<Integer, Long> batch = new AtomicBatch<>();
        batch.increment(0, 1, new EndingTogether(deciding, end));
        for (int key = 1; key < 8; key++) {
          batch.increment(key, 1, LONGS);
        }
        Future<?> over = others.submit(() -> map.writeAsync(batch));
        deciding.await();
        Thread waiting = new Thread(() -> map.compute(0, (key, value) -> 1L));
        waiting.start();
        while (waiting.getState() != Thread.State.TIMED_WAITING) {
          Thread.onSpinWait();
        }
        // Comes just when the batch ends, and finds the key free before the one who waits for it.
        Future<?> next =
            others.submit(() -> List.of(await(end), "" + waitingForAPut(map, 0, 7, others)));
        next.get(2, TimeUnit.MINUTES);
        over.get(2, TimeUnit.MINUTES);
        waiting.join();
      }
    } finally {
      others.shutdownNow();
    }
    map.close();
  }

  /** Lets a batch decide when another thread is there, too. */
  private record EndingTogether(CountDownLatch deciding, CyclicBarrier end)
      implements NumberCodec<Long> {
    @Override
    public long toLong(Long value) {
      return value;
    }

    @Override
    public Long toValue(long number) {
      deciding.countDown();
      try {
        await(end);
      } catch (Exception broken) {
        throw new IllegalStateException(broken);
      }
      return number;
    }
  }

  private static @Nullable Long waitingForAPut(
      Pensieve<Integer, Long> map, Integer key, Integer other, ExecutorService others) {
    return map.compute(
        key,
        (k, value) -> {
          try {
            others.submit(() -> map.put(other, 1L)).get(2, TimeUnit.MINUTES);
          } catch (Exception hangs) {
            throw new IllegalStateException(hangs);
          }
          return 1L;
        });
  }

  private static int await(CyclicBarrier barrier) throws Exception {
    return barrier.await(2, TimeUnit.MINUTES);
  }

  /** Nor does it keep its turn: another batch, of other keys, goes on. */
  @Test
  void aBatchThatWaitsForAFunctionHoldsUpNoOtherBatch() throws Exception {
    Pensieve<Integer, Long> map = Pensieve.<Integer, Long>builder().log(log).open();
    ExecutorService others = Executors.newCachedThreadPool();
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    try {
      Future<Long> slow = others.submit(() -> map.compute(5, (key, value) -> slow(begun, end)));
      begun.await();
      AtomicReference<Thread> thread = new AtomicReference<>();
      AtomicBatch<Integer, Long> batch = new AtomicBatch<>();
      batch.put(0, 2L).increment(5, 1, LONGS);
      Future<?> waiting =
          others.submit(
              () -> {
                thread.set(Thread.currentThread());
                return map.writeAsync(batch);
              });
      awaitBlocked(thread);
      AtomicBatch<Integer, Long> another = new AtomicBatch<>();
      another.put(0, 3L).put(1, 3L);
      others.submit(() -> map.writeAsync(another)).get(2, TimeUnit.MINUTES);
      assertFalse(waiting.isDone());
      end.countDown();
      assertEquals(42L, slow.get());
      waiting.get(2, TimeUnit.MINUTES);
      assertEquals(43L, map.get(5));
    } finally {
      end.countDown();
      others.shutdownNow();
    }
    map.close();
  }

  private static long slow(CountDownLatch begun, CountDownLatch end) {
    begun.countDown();
    try {
      end.await();
    } catch (InterruptedException testIsOver) {
      Thread.currentThread().interrupt();
    }
    return 42;
  }

  private static void awaitBlocked(AtomicReference<Thread> thread) {
    while (thread.get() == null || thread.get().getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
  }
}
