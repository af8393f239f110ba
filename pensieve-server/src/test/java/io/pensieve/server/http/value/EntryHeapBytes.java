package io.pensieve.server.http.value;

import io.pensieve.Pensieve;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;

/** Prints how many bytes of the heap an entry of each sample takes, one number a line. */
final class EntryHeapBytes {
  static final List<Sample> SAMPLES =
      List.of(
          new Sample(1, false), new Sample(1, true), new Sample(200, false), new Sample(200, true));

  private static final int ENTRIES = 40_000;

  private EntryHeapBytes() {}

  /** What kind of entry. */
  record Sample(int valueBytes, boolean expires) {
    StoredValue value() {
      return StoredValue.text("v".repeat(valueBytes));
    }
  }

  public static void main(String[] args) {
    measure(SAMPLES.get(0)); // loads the classes
    for (Sample sample : SAMPLES) {
      System.out.println(measure(sample));
    }
  }

  static String key(int number) {
    return "a-key-of-characters-above-ff-\u0100-" + ((1 << 20) + number);
  }

  private static long measure(Sample sample) {
    long before = heapUsed();
    try (Pensieve<String, StoredValue> map =
        Pensieve.<String, StoredValue>builder()
            .maximumEntries(2L * ENTRIES)
            .orderKeys(Comparator.naturalOrder())
            .open()) {
      map.orderedKeys(); // from now on the map keeps them
      for (int i = 0; i < ENTRIES; i++) {
        if (sample.expires()) {
          map.put(key(i), sample.value(), Duration.ofDays(1));
        } else {
          map.put(key(i), sample.value());
        }
      }
      long used = heapUsed() - before;
      if (map.size() != ENTRIES) { // the map, too, must live until after it was measured
        throw new AssertionError(map.size());
      }
      return used / ENTRIES;
    }
  }

  private static long heapUsed() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }
}
