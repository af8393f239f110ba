package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.Log;
import io.pensieve.log.LogStatistics;
import io.pensieve.log.file.FileLog;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a map counts. */
class StatisticsTest {
  private static final LogStatistics NO_LOG = Log.none().statistics();

  private final ManualClock clock = new ManualClock();
  private final Pensieve<String, Integer> map =
      Pensieve.<String, Integer>builder().maximumEntries(3).clock(clock).recordStatistics().open();

  @AfterEach
  void close() {
    map.close();
  }

  @Test
  void everythingIsCountedUnderItsName() {
    map.put("a", 1);
    map.put("b", 1, Duration.ofMillis(1));
    map.putAsync("c", 1);
    map.get("a");
    map.getOrDefault("nothing", 0);
    map.getVersioned("c");
    map.getAsync("nothing");
    assertTrue(map.containsKey("a"));
    map.computeIfAbsent("d", key -> 4); // a miss, a load, a put, an eviction of b
    map.computeIfAbsent("d", key -> 5); // a hit
    map.computeIfAbsent("none", key -> null); // a miss
    map.put("e", 1, Duration.ofMillis(1)); // an eviction of a
    clock.advance(1);
    map.get("e"); // a miss
    map.cleanUp();
    map.merge("c", 1, Integer::sum);
    map.remove("c");
    map.remove("nothing");
    Statistics counted = map.statistics();
    assertEquals(new Statistics(3, 5, 6, 1, 2, 1, 1, 1, counted.loadTime(), 1, 1, NO_LOG), counted);
    assertTrue(counted.loadTime().toNanos() > 0);
    assertEquals(3 / 8.0, map.statistics().hitRatio());
  }

  @Test
  void withoutBeingToldToAMapCountsWhatItHoldsAlone() {
    try (Pensieve<String, Integer> plain =
        Pensieve.<String, Integer>builder().maximumWeight(100, (key, value) -> value).open()) {
      plain.put("a", 5);
      plain.put("b", 6);
      plain.get("a");
      plain.remove("a");
      assertEquals(
          new Statistics(0, 0, 0, 0, 0, 0, 0, 0, Duration.ZERO, 1, 6, NO_LOG), plain.statistics());
      assertEquals(1, plain.statistics().hitRatio());
    }
  }

  @Test
  void theLogTellsItsOwn(@TempDir Path folder) {
    try (Pensieve<String, String> durable =
        Pensieve.<String, String>builder()
            .log(FileLog.at(folder, Codec.utf8(), Codec.utf8()).durability(Durability.POWER_CUT))
            .open()) {
      durable.put("a", "b");
      assertTrue(durable.statistics().log().appendedBytes() > 0);
      assertTrue(durable.statistics().log().forces() > 0);
    }
  }

  @Test
  void countsAreExactUnderThreads() throws Exception {
    map.put("a", 1);
    ParallelRun.run(
        8,
        StatisticsTest.class,
        random -> {
          for (int i = 0; i < 10_000; i++) {
            map.get(i % 2 == 0 ? "a" : "nothing");
          }
        });
    assertEquals(40_000, map.statistics().hits());
    assertEquals(40_000, map.statistics().misses());
  }
}
