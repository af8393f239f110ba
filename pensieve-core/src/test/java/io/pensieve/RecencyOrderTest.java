package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The entries in the order of their last use. */
@Timeout(120)
class RecencyOrderTest {
  private final Pensieve<Integer, Integer> map =
      Pensieve.<Integer, Integer>builder().maximumEntries(100).open();

  @Test
  void anyHistoryIsShownInTheOrderOfUses() {
    Random random = Seed.random(RecencyOrderTest.class);
    Map<Integer, Integer> model = new LinkedHashMap<>(16, 0.75f, true);
    for (int i = 0; i < 10_000; i++) {
      int key = random.nextInt(100);
      switch (random.nextInt(4)) {
        case 0 -> assertEquals(model.remove(key), map.remove(key));
        case 1 -> assertEquals(model.put(key, i), map.put(key, i));
        default -> assertEquals(model.get(key), map.get(key));
      }
      if (i % 100 == 0) {
        assertShown(List.copyOf(model.entrySet()));
      }
    }
  }

  private void assertShown(List<Entry<Integer, Integer>> expected) {
    List<Entry<Integer, Integer>> reversed = new ArrayList<>(expected);
    Collections.reverse(reversed);
    assertEquals(expected, list(map.coldestFirst()));
    assertEquals(reversed, list(map.hottestFirst()));
    assertEquals(expected, list(map.coldestFirst()), "looking is not a use");
  }

  @Test
  void whatIsGoneIsPassedOverAndWhatIsNewDoesNotCome() {
    put(1, 2, 3);
    Iterator<Entry<Integer, Integer>> entries = map.coldestFirst().iterator();
    assertEquals(Map.entry(1, 1), entries.next());
    map.remove(2);
    map.put(3, 30);
    map.put(4, 4);
    assertEquals(Map.entry(3, 30), entries.next());
    assertFalse(entries.hasNext());
    assertThrows(NoSuchElementException.class, entries::next);
  }

  @Test
  void entriesCanBeWrittenAndRemovedOnTheWay() {
    put(1, 2, 3);
    Iterator<Entry<Integer, Integer>> entries = map.hottestFirst().iterator();
    entries.next();
    entries.remove();
    entries.next().setValue(20);
    assertEquals(List.of(Map.entry(1, 1), Map.entry(2, 20)), list(map.coldestFirst()));
  }

  @Test
  void underThreadsWhatStaysIsShownOnce() throws Exception {
    for (int key = 0; key < 50; key++) {
      map.put(key, key);
    }
    ParallelRun.run(
        4,
        RecencyOrderTest.class,
        random -> {
          for (int i = 0; i < 500; i++) {
            map.put(50 + random.nextInt(40), i);
            map.remove(50 + random.nextInt(40));
            map.get(random.nextInt(50));
            List<Integer> shown = new ArrayList<>();
            map.coldestFirst().forEach(entry -> shown.add(entry.getKey()));
            TreeSet<Integer> keys = new TreeSet<>(shown);
            assertEquals(shown.size(), keys.size(), "each once");
            assertEquals(50, keys.headSet(50).size(), "those that stay");
            assertTrue(keys.last() < 90);
          }
        });
  }

  private void put(int... keys) {
    for (int key : keys) {
      map.put(key, key);
    }
  }

  private static List<Entry<Integer, Integer>> list(Iterable<Entry<Integer, Integer>> entries) {
    List<Entry<Integer, Integer>> list = new ArrayList<>();
    entries.forEach(list::add);
    return list;
  }
}
