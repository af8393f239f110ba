package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.file.FileLog;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A map whose log is compacted while it is in use: entries, versions and order after a restart. */
@Tag(Depth.TAG)
class CompactionOrderTest {
  private static final int BOUND = 100;

  // Not the common pool, which has one thread on two cores: what runs beside must run beside.
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Path folder;
  private FileLog<String, String> log;
  private Pensieve<String, String> map;

  CompactionOrderTest(@TempDir Path folder) {
    this.folder = folder;
    log = openLog();
    map = openMap();
  }

  private FileLog<String, String> openLog() {
    return FileLog.at(folder, Codec.utf8(), Codec.utf8()).durability(Durability.POWER_CUT);
  }

  private Pensieve<String, String> openMap() {
    return Pensieve.<String, String>builder().maximumEntries(BOUND).log(log).open();
  }

  /** An entry with all that must survive. */
  private record Kept(String key, String value, long version) {}

  private List<Kept> coldestFirst() {
    List<Kept> entries = new ArrayList<>();
    map.nodes()
        .forEach(n -> entries.add(new Kept(n.key(), String.valueOf(n.value()), n.version())));
    return entries;
  }

  private void assertSurvivesRestart() {
    List<Kept> before = coldestFirst();
    map.close();
    assertEquals(before, replayed());
  }

  private List<Kept> replayed() {
    log = openLog();
    map = openMap();
    assertTrue(map.recovery().closedCleanly());
    return coldestFirst();
  }

  @AfterEach
  void restartKeepsAll() {
    assertSurvivesRestart();
    map.close();
    threads.shutdownNow();
  }

  @Test
  void whatWasReadBeforeACompactionAndWhatAfterKeepsItsPlace() {
    map.put("x", "1");
    map.put("y", "2");
    map.get("x");
    log.compact();
    map.get("y");
    assertEquals(List.of("x", "y"), map.nodes().stream().map(n -> n.key()).toList());
    assertSurvivesRestart();
  }

  @Test
  void aRestartAfterACompactionReadsTheEntriesAlone() throws IOException {
    for (int i = 0; i < 1000; i++) {
      map.put("k" + i % 50, "v" + i);
    }
    log.compact();
    assertSurvivesRestart();
    assertEquals(50, map.recovery().changes());
    try (var files = Files.list(folder)) {
      assertEquals(1, files.filter(file -> file.toString().endsWith(".base")).count());
    }
  }

  @Test
  void theOrderSurvivesAnyHistoryOfLivesUsesAndCompactions() throws Exception {
    Random random = Seed.random(CompactionOrderTest.class);
    for (int ttl = 0; ttl < Depth.of(4, 20, 400); ttl++) {
      List<CompletableFuture<Void>> compactions = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        use(random, random.nextInt(60));
        if (random.nextInt(3) == 0) {
          log.compact();
        } else if (random.nextInt(2) == 0) {
          compactions.add(CompletableFuture.runAsync(log::compact, threads));
          use(random, random.nextInt(3000)); // beside it
        }
      }
      for (CompletableFuture<Void> compaction : compactions) {
        compaction.get(2, TimeUnit.MINUTES);
      }
      assertSurvivesRestart();
    }
  }

  private void use(Random random, int times) {
    for (int i = 0; i < times; i++) {
      String key = "k" + random.nextInt(120);
      switch (random.nextInt(12)) {
        case 0 -> map.putAsync(key, key + i);
        case 1 -> map.removeAsync(key);
        default -> {
          var unused = map.containsKey(key) && map.get(key) == null;
        }
      }
    }
  }

  @Test
  void compactionsBesideWritersRemovalsAndEvictionsLoseNothing() throws Exception {
    Random random = Seed.random(CompactionOrderTest.class);
    for (int ttl = 0; ttl < Depth.of(1, 5, 50); ttl++) {
      AtomicBoolean done = new AtomicBoolean();
      List<CompletableFuture<Void>> users = new ArrayList<>();
      for (int t = 0; t < 3; t++) {
        Random own = new Random(random.nextLong());
        users.add(
            CompletableFuture.runAsync(() -> use(own, Depth.of(5_000, 20_000, 20_000)), threads));
      }
      CompletableFuture<Integer> compactions =
          CompletableFuture.supplyAsync(() -> compact(done), threads);
      for (CompletableFuture<Void> user : users) {
        user.get(120, TimeUnit.SECONDS);
      }
      done.set(true);
      assertTrue(compactions.get(2, TimeUnit.MINUTES) > 0);
      assertSurvivesRestart();
    }
  }

  private int compact(AtomicBoolean done) {
    int times = 0;
    do {
      log.compact();
      times++;
    } while (!done.get());
    return times;
  }

  @Test
  void closingWaitsForNoFunctionThatHoldsUpACompaction() throws Exception {
    map.put("a", "1");
    map.put("slow", "1");
    CountDownLatch computing = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    CompletableFuture<Void> slow =
        CompletableFuture.runAsync(
            () ->
                map.computeIfPresent(
                    "slow",
                    (key, value) -> {
                      computing.countDown();
                      awaitUninterruptibly(goOn);
                      return value;
                    }),
            threads);
    computing.await();
    CompletableFuture<Void> compaction = CompletableFuture.runAsync(log::compact, threads);
    map.close();
    compaction.handle((nothing, refused) -> refused).get(2, TimeUnit.MINUTES);
    assertTrue(compaction.isCompletedExceptionally());
    goOn.countDown();
    assertThrows(Exception.class, () -> slow.get(2, TimeUnit.MINUTES));
    assertEquals(List.of("a", "slow"), replayed().stream().map(Kept::key).toList());
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    boolean interrupted = false;
    while (latch.getCount() > 0) {
      try {
        latch.await();
      } catch (InterruptedException goOnWaiting) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aLogWithoutAMapOrAClosedOneIsNotCompacted() {
    map.close();
    assertThrows(IllegalStateException.class, log::compact);
    log = openLog();
    assertThrows(IllegalStateException.class, log::compact);
    map = openMap();
    log.compact();
    assertFalse(map.containsKey("a"));
  }
}
