package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A bound on what entries weigh together. */
@Timeout(120)
class WeightTest {
  private RecordingLog<String, Integer> log = new RecordingLog<>();
  private final AtomicInteger weighed = new AtomicInteger();
  private Pensieve<String, Integer> map = open(10);

  private Pensieve<String, Integer> open(long maximumWeight) {
    return Pensieve.<String, Integer>builder()
        .maximumWeight(maximumWeight, this::weigh)
        .log(log)
        .open();
  }

  private int weigh(String key, Integer value) {
    weighed.incrementAndGet();
    return value;
  }

  @Test
  void theColdestGoUntilTheRestIsLightEnough() {
    map.put("a", 4);
    map.put("b", 3);
    map.put("c", 3);
    map.get("a");
    map.put("d", 5);
    assertEquals(Map.of("a", 4, "d", 5), Map.copyOf(map));
    assertEquals(9, map.weight());
    assertEquals(log.fold(), map);
  }

  @Test
  void anOverwriteCanDriveOutOthersAndNotItself() {
    map.put("a", 3);
    map.put("b", 3);
    map.put("c", 3);
    map.put("a", 10);
    assertEquals(Map.of("a", 10), Map.copyOf(map));
    map.put("a", 1);
    assertEquals(1, map.weight());
  }

  @Test
  void whatIsHeavierThanAllMayBeIsRefusedAndChangesNothing() {
    map.put("a", 4);
    assertThrows(IllegalArgumentException.class, () -> map.put("a", 11));
    assertThrows(IllegalArgumentException.class, () -> map.put("b", 11));
    assertThrows(IllegalArgumentException.class, () -> map.putAsync("b", 11));
    assertThrows(IllegalArgumentException.class, () -> map.replace("a", 11));
    assertThrows(IllegalArgumentException.class, () -> map.merge("a", 7, Integer::sum));
    assertThrows(IllegalArgumentException.class, () -> map.computeIfAbsent("b", key -> 11));
    assertEquals(Map.of("a", 4), Map.copyOf(map));
    assertEquals(1, log.history().size());
    assertNull(map.put("b", 6), "the key is free, and the whole weight, too");
    assertEquals(10, map.weight());
  }

  @Test
  void aNegativeWeightIsRefusedAndChangesNothing() {
    assertThrows(IllegalStateException.class, () -> map.put("a", -1));
    assertThrows(IllegalStateException.class, () -> map.compute("a", (key, value) -> -1));
    assertEquals(Map.of(), map);
    assertEquals(0, map.weight());
  }

  @Test
  void anEntryIsWeighedOnceAWrite() {
    map.put("a", 1);
    map.merge("a", 1, Integer::sum);
    map.compute("a", (key, value) -> 3);
    map.get("a");
    map.remove("a");
    assertEquals(3, weighed.get());
  }

  @Test
  void entriesWithoutWeightAreNotCounted() {
    for (int i = 0; i < 5_000; i++) {
      map.put("k" + i, 0);
    }
    assertEquals(5_000, map.size(), "there is no bound for their number");
    assertEquals(Long.MAX_VALUE, map.maximumEntries());
  }

  @Test
  void largeWeightsDoNotOverflow() {
    try (Pensieve<Integer, Integer> large =
        Pensieve.<Integer, Integer>builder()
            .maximumWeight(Long.MAX_VALUE, (key, value) -> Integer.MAX_VALUE)
            .open()) {
      for (int i = 0; i < 10; i++) {
        large.put(i, i);
      }
      assertEquals(10L * Integer.MAX_VALUE, large.weight());
      assertEquals(10, large.size());
    }
  }

  /** The bytes of files, by their paths: one file may have more than an int can count. */
  @Test
  void anEntryMayWeighMoreThanAnIntCanHold() {
    long tebibyte = 1L << 40;
    RecordingLog<String, Long> files = new RecordingLog<>();
    try (Pensieve<String, Long> sizes =
        Pensieve.<String, Long>builder()
            .maximumWeight(3 * tebibyte, (path, bytes) -> bytes)
            .log(files)
            .open()) {
      sizes.put("a", tebibyte);
      sizes.put("b", tebibyte + 1);
      assertEquals(2 * tebibyte + 1, sizes.weight());
      assertThrows(IllegalArgumentException.class, () -> sizes.put("c", 3 * tebibyte + 1));
      sizes.put("c", tebibyte);
      assertEquals(Map.of("b", tebibyte + 1, "c", tebibyte), Map.copyOf(sizes));
      sizes.writeAsync(new AtomicBatch<String, Long>().put("b", 5L).put("d", 2 * tebibyte - 5));
      assertEquals(Map.of("b", 5L, "c", tebibyte, "d", 2 * tebibyte - 5), Map.copyOf(sizes));
      assertEquals(3 * tebibyte, sizes.weight());
      sizes.maximumWeight(tebibyte);
      assertEquals(Map.of("b", 5L), Map.copyOf(sizes), "d is too heavy alone, c with it");
      assertEquals(5, sizes.weight());
      assertEquals(files.fold(), sizes);
    }
  }

  @Test
  void weightsWhoseSumIsNoLongAreCountedExactly() {
    long half = Long.MAX_VALUE / 2;
    RecordingLog<Integer, Long> many = new RecordingLog<>();
    try (Pensieve<Integer, Long> light = Pensieve.<Integer, Long>builder().log(many).open()) {
      for (int i = 0; i < 10; i++) {
        light.put(i, half - i);
      }
    }
    RecordingLog<Integer, Long> reopened = many.reopened();
    try (Pensieve<Integer, Long> heavy = heaviest(reopened)) {
      assertEquals(List.of(8, 9), List.copyOf(reopened.fold().keySet()));
      assertEquals(2 * half - 17, heavy.weight());
      AtomicBatch<Integer, Long> tooMuch =
          new AtomicBatch<Integer, Long>().put(1, half).put(2, half).put(3, half);
      assertThrows(IllegalArgumentException.class, () -> heavy.writeAsync(tooMuch));
      heavy.put(10, half);
      assertEquals(2 * half - 9, heavy.weight());
      heavy.put(11, Long.MAX_VALUE - 1);
      assertEquals(Map.of(11, Long.MAX_VALUE - 1), Map.copyOf(heavy));
      assertThrows(IllegalArgumentException.class, () -> heavy.put(12, Long.MAX_VALUE));
      heavy.remove(11);
      assertEquals(0, heavy.weight());
    }
  }

  @Test
  void heavyEntriesThatAreBeingComputedArePassedOverAndCounted() throws Exception {
    long half = Long.MAX_VALUE / 2;
    try (Pensieve<Integer, Long> heavy = heaviest(new RecordingLog<>())) {
      heavy.put(1, half);
      CountDownLatch started = new CountDownLatch(1);
      CompletableFuture<Long> result = new CompletableFuture<>();
      Thread slow =
          new Thread(
              () ->
                  heavy.compute(
                      1,
                      (key, value) -> {
                        started.countDown();
                        return result.join();
                      }));
      slow.start();
      started.await();
      heavy.put(2, half);
      heavy.put(3, half);
      assertEquals(Map.of(1, half, 3, half), Map.copyOf(heavy));
      result.complete(0L);
      slow.join();
      assertEquals(half, heavy.weight());
    }
  }

  private static Pensieve<Integer, Long> heaviest(RecordingLog<Integer, Long> log) {
    return Pensieve.<Integer, Long>builder()
        .maximumWeight(Long.MAX_VALUE, (key, value) -> value)
        .log(log)
        .open();
  }

  @Test
  void aRestartWithASmallerBoundDrivesOutTheTooHeavyAndThenTheColdest() {
    map.put("a", 1);
    map.put("b", 2);
    map.put("c", 2);
    map.put("heavy", 5);
    map.get("a");
    map.close();
    log = log.reopened();
    map = open(4);
    assertEquals(List.of("c", "a"), List.copyOf(log.fold().keySet()));
    assertEquals(Map.of("c", 2, "a", 1), Map.copyOf(map));
    assertEquals(3, map.weight());
  }

  @Test
  void withoutAWeigherEveryEntryWeighsOne() {
    try (Pensieve<Integer, Integer> plain =
        Pensieve.<Integer, Integer>builder().maximumEntries(3).open()) {
      for (int i = 0; i < 5; i++) {
        plain.put(i, 100);
      }
      assertEquals(3, plain.weight());
    }
  }

  @Test
  void aBoundMustBePositive() {
    var builder = Pensieve.<String, Integer>builder();
    assertThrows(IllegalArgumentException.class, () -> builder.maximumWeight(0, this::weigh));
  }

  @Test
  void aFunctionMayMakeRoomForLongWhileOthersOverflow() throws Exception {
    map.put("slow", 6);
    CountDownLatch started = new CountDownLatch(1);
    CompletableFuture<Integer> result = new CompletableFuture<>();
    Thread slow =
        new Thread(
            () ->
                map.compute(
                    "slow",
                    (key, value) -> {
                      started.countDown();
                      return result.join();
                    }));
    slow.start();
    started.await();
    for (int i = 0; i < 100; i++) {
      map.put("k" + i, 1 + i % 5);
    }
    result.complete(8);
    slow.join();
    assertTrue(map.weight() <= 10, "when the function is done");
    assertEquals(8, map.get("slow"));
    assertEquals(log.fold(), map);
  }

  @Test
  void theBoundHoldsWhateverTheThreadsDo() throws Exception {
    int threads = 8;
    AtomicLong heaviest = new AtomicLong();
    try (Pensieve<Integer, Integer> busy =
        Pensieve.<Integer, Integer>builder()
            .maximumEntries(40)
            .maximumWeight(100, (key, value) -> value)
            .open()) {
      ParallelRun.run(
          threads,
          WeightTest.class,
          random -> {
            for (int i = 0; i < 20_000; i++) {
              int key = random.nextInt(100);
              switch (random.nextInt(8)) {
                case 0 -> busy.remove(key);
                case 1 -> busy.compute(key, (k, v) -> v == null ? 1 : (v + 1) % 10);
                case 2 -> busy.get(key);
                default -> busy.put(key, random.nextInt(10));
              }
              heaviest.accumulateAndGet(busy.weight(), Math::max);
            }
          });
      assertTrue(heaviest.get() <= 100 + threads * 9, "at most " + heaviest);
      assertTrue(busy.weight() <= 100, "when all are done");
      assertTrue(busy.size() <= 40);
      assertEquals(
          busy.values().stream().mapToLong(Integer::longValue).sum(),
          busy.weight(),
          "no weight is lost");
    }
  }
}
