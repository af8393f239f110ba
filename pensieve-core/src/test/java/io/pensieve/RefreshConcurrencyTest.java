package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Old values are reloaded by other threads, beside readers and writers. */
@Timeout(120)
class RefreshConcurrencyTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private final ManualClock clock = new ManualClock();

  @Test
  void theCommonPoolReloadsUnlessToldOtherwise() {
    CountDownLatch asked = new CountDownLatch(1);
    try (Pensieve<String, Thread> threads =
        Pensieve.<String, Thread>builder()
            .refreshAfterWrite(
                MINUTE,
                (key, old) -> {
                  await(asked);
                  return Thread.currentThread();
                })
            .clock(clock)
            .open()) {
      threads.put("who", Thread.currentThread());
      clock.advance(MINUTE);
      assertEquals(Thread.currentThread(), threads.get("who"), "the reader does not wait");
      asked.countDown();
      while (threads.get("who") == Thread.currentThread()) {
        LockSupport.parkNanos(1_000_000);
      }
      assertTrue(requireNonNull(threads.get("who")).isDaemon());
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException unexpected) {
      throw new AssertionError(unexpected);
    }
  }

  /** A value is as new as the source was when its reload or its put began. */
  private record Stamped(int writer, int number) {}

  @Test
  void underManyThreadsEachKeyIsReloadedByOneAndNoWriteIsLost() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(3);
    Map<Integer, AtomicInteger> running = new ConcurrentHashMap<>();
    AtomicInteger numbers = new AtomicInteger();
    AtomicInteger together = new AtomicInteger();
    RecordingLog<Integer, Stamped> stamps = new RecordingLog<>();
    Map<Integer, Stamped> written = new ConcurrentHashMap<>();
    try (Pensieve<Integer, Stamped> busy =
        Pensieve.<Integer, Stamped>builder()
            .refreshAfterWrite(
                Duration.ofMillis(1),
                (key, old) -> {
                  AtomicInteger here = running.computeIfAbsent(key, any -> new AtomicInteger());
                  together.accumulateAndGet(here.incrementAndGet(), Math::max);
                  LockSupport.parkNanos(1);
                  here.decrementAndGet();
                  return new Stamped(old.writer(), numbers.incrementAndGet());
                })
            .refreshExecutor(pool)
            .recordStatistics()
            .log(stamps)
            .open()) {
      AtomicInteger writers = new AtomicInteger();
      ParallelRun.run(
          4,
          RefreshConcurrencyTest.class,
          random -> {
            int writer = writers.incrementAndGet(); // the only one that writes these keys
            for (int i = 0; i < 20_000; i++) {
              int key = writer + 10 * random.nextInt(4);
              if (random.nextInt(8) == 0) {
                Stamped mine = new Stamped(i, 0);
                busy.put(key, mine);
                written.put(key, mine);
              }
              busy.get(1 + random.nextInt(40)); // perhaps another writer's
              Stamped own = busy.get(key);
              Stamped last = written.get(key);
              if (last != null) {
                assertEquals(last.writer(), requireNonNull(own).writer(), "no reload undoes a put");
              }
            }
          });
      pool.shutdown();
      assertTrue(pool.awaitTermination(2, TimeUnit.MINUTES));
      assertEquals(busy, stamps.fold()); // in this order it reads nothing
      assertEquals(1, together.get(), "reloads of one key at a time");
      assertTrue(busy.statistics().loads() > 0);
    } finally {
      pool.shutdownNow();
    }
  }
}
