package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Looks at a map that change nothing in it, and show nothing that they should not. */
class InspectionTest {
  private final ManualClock clock = new ManualClock();
  private final Pensieve<String, String> map =
      Pensieve.<String, String>builder().maximumEntries(3).clock(clock).recordStatistics().open();

  @AfterEach
  void close() {
    map.close();
  }

  @Test
  void aPeekIsNeitherAUseNorAHit() {
    map.put("a", "1");
    map.put("b", "2");
    map.put("c", "3");
    assertEquals("1", map.peek("a"));
    assertNull(map.peek("d"));
    assertEquals("1", requireNonNull(map.peekAsync("a").entry()).value());
    assertNull(map.peekAsync("d").entry());
    map.put("d", "4");
    assertFalse(map.containsKey("a"));
    assertEquals(0, map.statistics().hits() + map.statistics().misses());
  }

  @Test
  void versionsAndLivesAreShownWhileIterating() {
    map.put("a", "1", Duration.ofSeconds(1));
    map.put("b", "2");
    Map<String, Versioned<String>> seen = new TreeMap<>();
    map.versionedEntries().forEach(entry -> seen.put(entry.getKey(), entry.getValue()));
    assertEquals(List.of("a", "b"), List.copyOf(seen.keySet()));
    Versioned<String> a = requireNonNull(seen.get("a"));
    assertEquals(map.getVersioned("a"), a);
    assertEquals(Optional.of(Duration.ofSeconds(1)), a.remaining(clock.instant()));

    Iterator<Map.Entry<String, Versioned<String>>> entries = map.versionedEntries().iterator();
    while (entries.hasNext()) {
      if (entries.next().getKey().equals("a")) {
        map.put("a", "later");
      }
      entries.remove();
    }
    assertEquals(Map.of("a", "later"), map);
  }

  @Test
  void nothingSecretIsPrinted() {
    map.put("user", "password");
    assertEquals("Pensieve[1 entries of at most 3]", map.toString());
  }

  @Test
  void sizesAgreeWhateverHasExpired() {
    for (int i = 0; i < 3; i++) {
      map.put("k" + i, "v", Duration.ofSeconds(1 + i));
    }
    for (int left = 3; left >= 0; left--) {
      assertEquals(left, map.size());
      assertEquals(left, map.mappingCount());
      assertEquals(left == 0, map.isEmpty());
      assertEquals(left == 0, map.equals(Map.of()));
      assertEquals(left == 0, map.keySet().isEmpty());
      assertEquals(left, Map.copyOf(map).size());
      assertTrue(map.weight() >= left);
      clock.advance(Duration.ofSeconds(1));
    }
    assertTrue(map.weight() <= 3); // the map may have removed some meanwhile
    map.cleanUp();
    assertEquals(0, map.weight());
    assertEquals(3, map.statistics().expiries());
  }
}
