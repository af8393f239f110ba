package io.pensieve.bench;

import io.pensieve.Pensieve;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * How long does the slowest put take after all entries of a large map have been read?
 *
 * <p>Then all that the map knew of the order is out of date. Prints the first put, and the slowest
 * of as many as replace a quarter of the entries. Counts the thread's own processor time: neither
 * collections of garbage nor other programs are in it.
 *
 * <pre>
 * java -Xmx2g -cp pensieve-bench/target/benchmarks.jar io.pensieve.bench.ReadPassStalls \
 *     entries=1000000 rounds=10
 * </pre>
 */
public final class ReadPassStalls {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private ReadPassStalls() {}

  /** Prints a line for each round: the first ones come before all is compiled. */
  public static void main(String... arguments) throws Exception {
    run(Options.of(arguments), System.out);
  }

  static void run(Map<String, String> options, PrintStream out) throws Exception {
    int entries = Integer.parseInt(options.getOrDefault("entries", "1000000"));
    int rounds = Integer.parseInt(options.getOrDefault("rounds", "10"));
    try (Pensieve<Long, Long> map = Pensieve.<Long, Long>builder().maximumEntries(entries).open()) {
      long next = 0;
      while (next < entries) {
        map.put(next, next++);
      }
      for (int round = 1; round <= rounds; round++) {
        long end = next;
        LongStream.range(end - entries, end).forEach(map::get);
        long first = nanosOfPut(map, next++);
        long slowest = first;
        while (next < end + entries / 4) {
          slowest = Math.max(slowest, nanosOfPut(map, next++));
        }
        out.printf(
            "%,d entries, round %d: first put %.2f ms, slowest %.2f ms%n",
            entries, round, first / 1e6, slowest / 1e6);
      }
    }
  }

  private static long nanosOfPut(Pensieve<Long, Long> map, long key) {
    long start = THREADS.getCurrentThreadCpuTime();
    map.put(key, key);
    return THREADS.getCurrentThreadCpuTime() - start;
  }
}
