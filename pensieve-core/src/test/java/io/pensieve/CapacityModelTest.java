package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pensieve.log.Change;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * From one thread, with times, weights, versions and restarts, a map does what the {@link
 * BoundedModel} does, and tells its listener so.
 */
@Tag(Depth.TAG)
@Timeout(300)
class CapacityModelTest {
  private final Random random = Seed.random(CapacityModelTest.class);
  private final ManualClock clock = new ManualClock();
  private final List<RemovalEvent> told = Collections.synchronizedList(new ArrayList<>());
  private RecordingLog<Integer, Integer> log = new RecordingLog<>();
  private int maximumEntries = 1;
  private long maximumWeight = BoundedModel.WEIGHT_UNIT;
  private Pensieve<Integer, Integer> map = open();
  private BoundedModel model = new BoundedModel(1, BoundedModel.WEIGHT_UNIT);

  private Pensieve<Integer, Integer> open() {
    return Pensieve.<Integer, Integer>builder()
        .maximumEntries(maximumEntries)
        .maximumWeight(maximumWeight, (key, value) -> BoundedModel.weight(value))
        .removalListener((key, value, cause) -> told.add(new RemovalEvent(key, value, cause)))
        .clock(clock)
        .log(log)
        .open();
  }

  @AfterEach
  void close() {
    map.close();
  }

  @Test
  void everyBoundFrom1To100() {
    for (int bound = 1; bound <= 100; bound++) {
      map.close();
      log = new RecordingLog<>();
      maximumEntries = bound;
      maximumWeight = someWeight(bound);
      map = open();
      model = new BoundedModel(maximumEntries, maximumWeight);
      operate(Depth.of(500, 10_000, 50_000), bound * 2 + 2);
      foldOfLogIsMap();
    }
  }

  @Test
  void boundsThatChangeWhileTheMapIsOpen() {
    for (int i = 0; i < Depth.of(400, 4_000, 40_000); i++) {
      maximumEntries = 1 + random.nextInt(random.nextBoolean() ? 10 : 100);
      maximumWeight = someWeight(maximumEntries);
      model.changeBounds(maximumEntries, maximumWeight);
      map.maximumEntries(maximumEntries);
      map.maximumWeight(maximumWeight);
      // What is too heavy by itself goes in no order.
      assertEquals(Set.copyOf(model.departed()), Set.copyOf(told));
      told.clear();
      operate(random.nextInt(200), 120);
    }
    foldOfLogIsMap();
  }

  @Test
  void manyLivesWithOtherBoundsAndTimesInBetween() {
    for (int ttl = 0; ttl < Depth.of(20, 300, 3_000); ttl++) {
      operate(random.nextInt(300), 100);
      foldOfLogIsMap();
      restart();
    }
  }

  private long someWeight(int entries) {
    return (1 + random.nextInt(8 * entries)) * BoundedModel.WEIGHT_UNIT;
  }

  private void foldOfLogIsMap() {
    map.close();
    assertEquals(List.copyOf(model.copy().entrySet()), List.copyOf(log.fold().entrySet()));
  }

  private void restart() {
    maximumEntries = 1 + random.nextInt(60);
    maximumWeight = someWeight(maximumEntries);
    clock.advance(random.nextInt(300));
    log = log.reopened();
    map = open();
    model.restart(maximumEntries, maximumWeight, clock.millis());
    // What has expired, and what is too heavy by itself, goes in no order.
    assertEquals(Set.copyOf(model.departed()), Set.copyOf(told));
    told.clear();
    assertSame();
  }

  private void operate(int times, int keys) {
    for (int i = 0; i < times; i++) {
      if (random.nextInt(20) == 0) {
        advance(random.nextInt(keys));
      } else {
        operateOn(random.nextInt(keys), random.nextInt(1 << 20));
        assertEquals(model.departed(), told);
        told.clear();
      }
      assertEquals(model.weight(), map.weight());
      if (i % 100 == 0) {
        assertSame();
      }
    }
    assertSame();
  }

  private void assertSame() {
    List<Object> shown = new ArrayList<>();
    map.coldestFirst().forEach(shown::add);
    assertEquals(List.copyOf(model.copy().entrySet()), shown);
    assertEquals(model.copy().size(), map.size());
  }

  // Whoever comes before the expired are removed must not see them; so the key is looked at first.
  private void advance(int key) {
    clock.advance(random.nextInt(100));
    model.expire(clock.millis());
    Integer expected = model.peek(key);
    assertEquals(expected != null, map.containsKey(key));
    if (expected == null) {
      assertNull(map.get(key));
      assertNull(map.getVersioned(key));
      assertNull(map.replace(key, 0));
      assertNull(map.remove(key));
      assertFalse(map.removeIfVersion(key, 1));
    }
    map.cleanUp();
    assertEquals(Set.copyOf(model.departed()), Set.copyOf(told));
    told.clear();
  }

  private void operateOn(int key, int value) {
    switch (random.nextInt(12)) {
      case 0, 1, 2 -> assertEquals(model.use(key), map.get(key));
      case 3, 4 -> put(key, value, Change.NEVER);
      case 5, 6 -> put(key, value, 1 + random.nextInt(200));
      case 7 -> assertEquals(model.remove(key), map.remove(key));
      case 8 -> putIfAbsent(key, value);
      case 9 -> replaceIfVersion(key, value);
      case 10 -> merge(key, value);
      case 11 -> assertEquals(model.peek(key) != null, map.containsKey(key));
      default -> throw new AssertionError();
    }
  }

  private void put(int key, int value, long ttlMillis) {
    boolean forEver = ttlMillis == Change.NEVER;
    Duration ttl = Duration.ofMillis(ttlMillis);
    if (model.isTooHeavy(value)) {
      assertThrows(IllegalArgumentException.class, () -> map.put(key, value, ttl));
      assertThrows(IllegalArgumentException.class, () -> map.put(key, value));
      return;
    }
    Integer expected = model.write(key, value, forEver ? Change.NEVER : clock.millis() + ttlMillis);
    assertEquals(expected, forEver ? map.put(key, value) : map.put(key, value, ttl));
  }

  private void putIfAbsent(int key, int value) {
    if (model.isTooHeavy(value)) {
      assertThrows(IllegalArgumentException.class, () -> map.putIfAbsent(key, value));
      return;
    }
    Integer present = model.use(key);
    if (present == null) {
      assertNull(model.write(key, value, Change.NEVER));
    }
    assertEquals(present, map.putIfAbsent(key, value));
  }

  private void replaceIfVersion(int key, int value) {
    Integer present = model.use(key);
    Versioned<Integer> read = map.getVersioned(key);
    assertEquals(present, read == null ? null : read.value());
    if (present == null || model.isTooHeavy(value)) {
      return;
    }
    long version = requireNonNull(read).version();
    assertFalse(map.replaceIfVersion(key, version + 1, value));
    if (random.nextBoolean()) {
      model.write(key, value, clock.millis() + 50);
      map.writeAsync(Write.put(key, value).ifVersion(version).ttl(Duration.ofMillis(50)));
    } else {
      model.remove(key);
      map.removeIfVersion(key, version);
    }
  }

  private void merge(int key, int value) {
    Integer present = model.peek(key);
    int merged = present == null ? value : Math.abs(present - value);
    if (model.isTooHeavy(merged)) {
      assertThrows(
          IllegalArgumentException.class, () -> map.merge(key, value, (a, b) -> Math.abs(a - b)));
      return;
    }
    model.change(key, merged);
    assertEquals(merged, map.merge(key, value, (a, b) -> Math.abs(a - b)));
  }
}
