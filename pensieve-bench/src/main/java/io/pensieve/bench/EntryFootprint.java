package io.pensieve.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.openjdk.jol.info.ClassLayout;
import org.openjdk.jol.info.GraphLayout;

/**
 * How many bytes does an entry take, beyond its key and its value?
 *
 * <p>Counted object by object in a full map, less what the empty map has: what is not per entry
 * goes out of it.
 *
 * <pre>java -cp pensieve-bench/target/benchmarks.jar io.pensieve.bench.EntryFootprint 100000</pre>
 */
public final class EntryFootprint {
  static {
    // Otherwise it cannot look into records.
    System.setProperty("jol.magicFieldOffset", "true");
  }

  private EntryFootprint() {}

  public static void main(String[] arguments) throws Exception {
    int entries = Integer.parseInt(arguments[0]);
    List<String> maps = new ArrayList<>(Contenders.BOUNDED);
    maps.add("concurrentHashMap");
    for (String map : maps) {
      System.out.printf("%-26s %.1f%n", map, bytesPerEntry(map, entries));
    }
  }

  /** For keys and values that are distinct objects. */
  static double bytesPerEntry(String name, int entries) throws Exception {
    long before = bytes(Contenders.create(name, 1));
    Map<Long, Long> map = Contenders.create(name, entries);
    fillFromTwoThreads(map, entries);
    long keysAndValues = 2L * entries * ClassLayout.parseClass(Long.class).instanceSize();
    return (double) (bytes(map) - before - keysAndValues) / entries;
  }

  // A map may know the thread that alone uses it, and so all that belongs to the thread.
  private static void fillFromTwoThreads(Map<Long, Long> map, int entries) throws Exception {
    map.put(newLong(0), newLong(0));
    Thread filling =
        new Thread(
            () -> {
              for (long key = 0; key < entries; key++) {
                map.put(newLong(key), newLong(key));
              }
            });
    filling.start();
    filling.join();
  }

  // Small ones would be shared.
  private static Long newLong(long value) {
    return value + (1L << 32);
  }

  private static long bytes(Map<Long, Long> map) {
    return GraphLayout.parseInstance(map).totalSize();
  }
}
