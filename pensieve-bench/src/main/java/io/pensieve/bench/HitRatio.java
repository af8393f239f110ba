package io.pensieve.bench;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How many look-ups are hits, beside an exact LRU map and other caches, from several threads?
 *
 * <p>What is missed is put. All threads take the keys of one trace, one key at a time, from a
 * shared counter: so each map gets the same requests in the same order, but for those that are
 * under way at the same time. The exact LRU is an access-ordered {@link java.util.LinkedHashMap}
 * that one thread plays the trace to, in its very order; the same map, synchronized and asked by as
 * many threads as the others, shows what is owed to requests that overtake others: a thread that
 * loses its processor between a look-up and its put may put thousands of requests later. With a
 * trace for each thread instead, the scheduler would decide how they are mixed, and no two runs
 * could be compared.
 *
 * <pre>
 * java -cp pensieve-bench/target/benchmarks.jar io.pensieve.bench.HitRatio threads=8 requests=4000000
 * </pre>
 */
public final class HitRatio {
  private static final String EXACT = "synchronizedLinkedHashMap";
  private static final List<String> OTHERS = List.of("caffeine", "cache2k", "guava");
  private static final long SEED = 44;

  private final int threads;
  private final PrintStream out;

  private HitRatio(int threads, PrintStream out) {
    this.threads = threads;
    this.out = out;
  }

  /** Prints a table; the differences are points of a hundred. */
  public static void main(String... arguments) throws Exception {
    run(Options.of(arguments), System.out);
  }

  static void run(Map<String, String> options, PrintStream out) throws Exception {
    int threads = Integer.parseInt(options.getOrDefault("threads", "8"));
    int requests = Integer.parseInt(options.getOrDefault("requests", "4000000"));
    HitRatio table = new HitRatio(threads, out);
    out.println(
        "| hits of 100, "
            + threads
            + " threads | exact LRU | the same by threads | pensieve | difference | "
            + String.join(" | ", OTHERS)
            + " |");
    out.println("|---|---|---|---|---|" + "---|".repeat(OTHERS.size()));
    for (String entries : options.getOrDefault("entries", "1000,10000,100000").split(",", -1)) {
      int entriesMax = Integer.parseInt(entries);
      for (Map.Entry<String, Long[]> trace : Traces.of(entriesMax, requests, SEED).entrySet()) {
        table.printLine(trace.getKey(), entriesMax, trace.getValue());
      }
    }
  }

  private void printLine(String name, int entriesMax, Long[] trace) throws Exception {
    double exact = percent(EXACT, 1, entriesMax, trace);
    double exactByMany = percent(EXACT, threads, entriesMax, trace);
    double ours = percent("pensieve", threads, entriesMax, trace);
    StringBuilder line =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "| %s, %,d entries | %.3f | %+.3f | %.3f | %+.3f |",
                name,
                entriesMax,
                exact,
                exactByMany - exact,
                ours,
                ours - exact));
    for (String other : OTHERS) {
      line.append(
          String.format(Locale.ROOT, " %.3f |", percent(other, threads, entriesMax, trace)));
    }
    out.println(line);
  }

  private static double percent(String name, int threads, int entriesMax, Long[] trace)
      throws Exception {
    Map<Long, Long> map = Contenders.create(name, entriesMax);
    try {
      return 100.0 * hits(map, threads, trace) / trace.length;
    } finally {
      Contenders.close(map);
    }
  }

  private static long hits(Map<Long, Long> map, int threads, Long[] trace)
      throws InterruptedException, ExecutionException {
    AtomicInteger next = new AtomicInteger();
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      List<Future<Long>> playing = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        playing.add(executor.submit(() -> play(map, trace, next)));
      }
      long hits = 0;
      for (Future<Long> one : playing) {
        hits += one.get();
      }
      return hits;
    } finally {
      executor.shutdownNow();
    }
  }

  private static long play(Map<Long, Long> map, Long[] trace, AtomicInteger next) {
    long hits = 0;
    for (int i; (i = next.getAndIncrement()) < trace.length; ) {
      Long key = trace[i];
      if (map.get(key) != null) {
        hits++;
      } else {
        map.put(key, key);
      }
    }
    return hits;
  }
}
