package io.pensieve.server.http.value;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Comparator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What entries are said to take of the heap is what they take. */
final class EntryWeigherTest {
  private static final int ENTRIES = 40_000;
  private static final int MIB = 1 << 20;

  private final EntryWeigher weight = new EntryWeigher(new HeapShares(256L * MIB));

  @ParameterizedTest
  @CsvSource({"1, false", "1, true", "200, false", "200, true"})
  void isNoLessThanWhatEntriesTakeAndNotTwiceThat(int valueBytes, boolean expires) {
    StoredValue sample = value(valueBytes);
    long before = heapUsed();
    try (Pensieve<String, StoredValue> map =
        Pensieve.<String, StoredValue>builder()
            .maximumEntries(2L * ENTRIES)
            .orderKeys(Comparator.naturalOrder())
            .open()) {
      for (int i = 0; i < ENTRIES; i++) {
        String key = key(i);
        if (expires) {
          map.put(key, value(valueBytes), Duration.ofDays(1));
        } else {
          map.put(key, value(valueBytes));
        }
      }
      long measured = (heapUsed() - before) / ENTRIES;
      long estimate = weight.bytes(key(0), sample);
      String told = "measured " + measured + ", estimated " + estimate;
      assertTrue(measured <= estimate, told);
      assertTrue(estimate < 2 * measured, told);
      assertEquals(ENTRIES, map.size());
    }
  }

  private static String key(int number) {
    return "a-key-of-characters-above-ff-\u0100-" + (MIB + number);
  }

  private static StoredValue value(int bytes) {
    return StoredValue.text("v".repeat(bytes));
  }

  private static long heapUsed() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  @Test
  void countsWholeRegionsOfTheHeapForLongValues() {
    assertEquals(MIB / 2 - 17, weight.ofArray(MIB / 2 - 17));
    assertEquals(MIB, weight.ofArray(MIB / 2 - 16));
    assertEquals(MIB, weight.ofArray(MIB - 16));
    assertEquals(2 * MIB, weight.ofArray(MIB)); // its header is in the second one
    assertEquals(32L * MIB, new EntryWeigher(new HeapShares(1L << 40)).ofArray(17 * MIB));
  }
}
