package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.log.Change;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * From one thread a Pensieve does what an access-ordered {@link LinkedHashMap} with {@code
 * removeEldestEntry} does: same answers, same evictions, same order; and its log folds to it.
 */
@Tag(Depth.TAG)
class EvictionModelTest {
  private final Random random = Seed.random(EvictionModelTest.class);
  private final List<Integer> expectedVictims = new ArrayList<>();
  private RecordingLog<Integer, Integer> log = new RecordingLog<>();
  private Pensieve<Integer, Integer> map = open(1);
  private Map<Integer, Integer> model = model(1);

  @Test
  void aMillionOperationsEvictWhatLinkedHashMapEvicts() {
    start(500);
    for (int i = 0; i < Depth.of(200_000, 1_000_000, 10_000_000); i++) {
      operateOn(random.nextInt(random.nextBoolean() ? 700 : 2000));
    }
    assertEquals(expectedVictims, victims(), "the sequence of evictions");
  }

  @Test
  void everyBoundFrom1To100EvictsWhatLinkedHashMapEvicts() {
    for (int bound = 1; bound <= 100; bound++) {
      start(bound);
      for (int i = 0; i < 5_000; i++) {
        operateOn(random.nextInt(bound * 2 + 2));
      }
      assertEquals(expectedVictims, victims(), "the sequence of evictions at bound " + bound);
      foldOfLogIsMap();
    }
  }

  @Test
  void aScanLargerThanTheBoundEvictsEverythingInOrder() {
    start(10);
    for (int i = 0; i < 30; i++) {
      map.put(i % 15, i);
      model.put(i % 15, i);
    }
    assertEquals(expectedVictims, victims());
  }

  @AfterEach
  void foldOfLogIsMap() {
    assertEquals(Map.copyOf(model), Map.copyOf(map)); // by copies: equals would be a use
    map.close();
    assertEquals(List.copyOf(model.entrySet()), List.copyOf(log.fold().entrySet()));
  }

  private void start(int bound) {
    expectedVictims.clear();
    log = new RecordingLog<>();
    map = open(bound);
    model = model(bound);
  }

  private Pensieve<Integer, Integer> open(int bound) {
    return Pensieve.<Integer, Integer>builder().maximumEntries(bound).log(log).open();
  }

  private Map<Integer, Integer> model(int bound) {
    return new LinkedHashMap<>(16, 0.75f, true) {
      private static final long serialVersionUID = 1L;

      @Override
      protected boolean removeEldestEntry(Map.Entry<Integer, Integer> eldest) {
        boolean evict = size() > bound;
        if (evict) {
          expectedVictims.add(eldest.getKey());
        }
        return evict;
      }
    };
  }

  // A removal by a caller is logged like an eviction, so both sides list both, in one order.
  private List<Integer> victims() {
    List<Integer> victims = new ArrayList<>();
    for (Change<Integer, Integer> change : log.history()) {
      if (change instanceof Change.Remove<Integer, Integer>) {
        victims.add(change.key());
      }
    }
    return victims;
  }

  private void operateOn(int key) {
    int value = random.nextInt();
    int old = model.containsKey(key) && random.nextBoolean() ? map.peek(key) : value;
    BiFunction<Integer, Integer, Integer> sumOrNull =
        (a, b) -> (a + b) % 3 == 0 ? null : Integer.valueOf(a + b);
    switch (random.nextInt(16)) {
      case 0, 1, 2, 3 -> same(key, m -> m.get(key));
      case 4, 5, 6 -> same(key, m -> m.put(key, value));
      case 7 -> same(key, m -> m.remove(key));
      case 8 -> same(key, m -> m.putIfAbsent(key, value));
      case 9 -> same(key, m -> m.containsKey(key));
      case 10 -> same(key, m -> m.replace(key, value));
      case 11 -> same(key, m -> m.replace(key, old, value));
      case 12 -> same(key, m -> m.remove(key, old));
      case 13 -> same(key, m -> m.merge(key, value, sumOrNull));
      case 14 ->
          same(key, m -> m.compute(key, (k, v) -> sumOrNull.apply(v == null ? 1 : v, value)));
      case 15 ->
          same(
              key,
              m ->
                  (value & 1) == 0
                      ? m.computeIfAbsent(key, k -> value % 5 == 0 ? null : value)
                      : m.computeIfPresent(key, (k, v) -> sumOrNull.apply(v, value)));
      default -> throw new AssertionError();
    }
  }

  private interface Operation {
    @Nullable Object on(Map<Integer, Integer> map);
  }

  private void same(int key, Operation operation) {
    boolean before = model.containsKey(key);
    int victims = expectedVictims.size();
    Object expected = operation.on(model);
    if (before && !model.containsKey(key)) {
      expectedVictims.add(victims, key);
    }
    assertEquals(expected, operation.on(map));
    assertEquals(model.size(), map.size());
  }
}
