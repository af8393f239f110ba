package io.pensieve.bench;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LogStatistics;
import io.pensieve.log.file.FileLog;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * How large does a log's folder get when the same entries are overwritten again and again, and how
 * long does a writer stand still while the log compacts itself?
 *
 * <p>Values of 100 bytes, random keys, all of them present. Puts as fast as they go, or so many a
 * second. A control thread, which does nothing but sleep for a millisecond again and again, tells
 * how long the machine, or the JVM's garbage collector, would have held up anybody: what holds up
 * both is not the log's.
 *
 * <pre>
 * java -Xmx2g -cp pensieve-bench/target/benchmarks.jar io.pensieve.bench.OverwriteStalls \
 *     folder=. keys=100000 puts=36000000 threads=1 perSecond=0 durability=PROCESS_DEATH \
 *     logBytes=100663296
 * </pre>
 */
public final class OverwriteStalls {
  private static final int VALUE_BYTES = 100;
  // A header, key and value, to a multiple of 8.
  private static final long ENTRY_BYTES = (32 + Long.BYTES + VALUE_BYTES + 7) / 8 * 8;
  private static final long LOOK_MILLIS = 10;
  private static final long LOG_BYTES_MAX = 96 << 20;
  private static final long SPARE_BYTES = 32 << 20;

  private final int keys;
  private final long puts;
  private final int threads;
  private final long perSecond;
  private final long logBytesMax;
  private final Durability durability;
  private final Path folder;

  private volatile boolean ended;
  private long folderBytesMax;

  private OverwriteStalls(Map<String, String> options) throws IOException {
    keys = Integer.parseInt(options.getOrDefault("keys", "100000"));
    puts = Long.parseLong(options.getOrDefault("puts", "36000000")); // an hour of 10,000 a second
    threads = Integer.parseInt(options.getOrDefault("threads", "1"));
    perSecond = Long.parseLong(options.getOrDefault("perSecond", "0"));
    logBytesMax = Long.parseLong(options.getOrDefault("logBytes", String.valueOf(LOG_BYTES_MAX)));
    durability = Durability.valueOf(options.getOrDefault("durability", "PROCESS_DEATH"));
    folder = Files.createTempDirectory(Path.of(options.getOrDefault("folder", ".")), "overwriting");
  }

  /** Overwrites, and prints what that did. */
  public static void main(String... arguments) throws Exception {
    run(Options.of(arguments), System.out);
  }

  static void run(Map<String, String> options, PrintStream out) throws Exception {
    OverwriteStalls overwriteStalls = new OverwriteStalls(options);
    try {
      overwriteStalls.run(out);
    } finally {
      Stores.deleteTree(overwriteStalls.folder);
    }
  }

  private void run(PrintStream out) throws Exception {
    FileLog<Long, byte[]> log =
        FileLog.at(folder, Codec.int64(), Codec.bytes())
            .durability(durability)
            .maximumLogBytes(logBytesMax);
    try (Pensieve<Long, byte[]> map =
        Pensieve.<Long, byte[]>builder().maximumEntries(keys).log(log).open()) {
      for (long key = 0; key < keys; key++) {
        map.putAsync(key, new byte[VALUE_BYTES]);
      }
      measure(map, log, out);
    }
  }

  private void measure(Pensieve<Long, byte[]> map, FileLog<Long, byte[]> log, PrintStream out)
      throws InterruptedException {
    StallRecorder control = new StallRecorder();
    Thread controlThread = new Thread(() -> sleepAgainAndAgain(control), "control");
    Thread watchThread = new Thread(this::watchFolder, "watch");
    StallRecorder[] stalls = new StallRecorder[threads];
    Thread[] writers = new Thread[threads];
    for (int i = 0; i < threads; i++) {
      StallRecorder own = new StallRecorder();
      stalls[i] = own;
      writers[i] = new Thread(() -> overwrite(map, own), "writer " + i);
    }
    controlThread.start();
    watchThread.start();
    long start = System.nanoTime();
    for (Thread writer : writers) {
      writer.start();
    }
    for (Thread writer : writers) {
      writer.join();
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    ended = true;
    controlThread.join();
    watchThread.join();
    StallRecorder all = new StallRecorder();
    Arrays.stream(stalls).forEach(all::add);
    report(seconds, all, control, log.statistics(), out);
  }

  private void overwrite(Pensieve<Long, byte[]> map, StallRecorder stallRecorder) {
    long count = puts / threads;
    double nanosEach = perSecond == 0 ? 0 : 1e9 * threads / perSecond;
    long start = System.nanoTime();
    long before = start;
    for (long i = 0; i < count; i++) {
      long due = start + (long) (i * nanosEach);
      while (due - before > 0) {
        LockSupport.parkNanos(due - before);
        before = System.nanoTime();
      }
      map.put(ThreadLocalRandom.current().nextLong(keys), new byte[VALUE_BYTES]);
      long after = System.nanoTime();
      stallRecorder.add(before, after - before);
      before = after;
    }
  }

  private void sleepAgainAndAgain(StallRecorder stallRecorder) {
    while (!ended) {
      long before = System.nanoTime();
      LockSupport.parkNanos(StallRecorder.SHORT_NANOS);
      stallRecorder.add(before, System.nanoTime() - before - StallRecorder.SHORT_NANOS);
    }
  }

  private void watchFolder() {
    while (!ended) {
      folderBytesMax = Math.max(folderBytesMax, folderBytes());
      LockSupport.parkNanos(LOOK_MILLIS * 1_000_000);
    }
  }

  private long folderBytes() {
    try (Stream<Path> files = Files.list(folder)) {
      return files.mapToLong(OverwriteStalls::bytes).sum();
    } catch (IOException broken) {
      throw new AssertionError("cannot look at " + folder, broken);
    }
  }

  private static long bytes(Path file) {
    try {
      return Files.size(file);
    } catch (NoSuchFileException deletedMeanwhile) {
      return 0;
    } catch (IOException broken) {
      throw new AssertionError("cannot look at " + file, broken);
    }
  }

  private void report(
      double seconds,
      StallRecorder all,
      StallRecorder control,
      LogStatistics log,
      PrintStream out) {
    out.printf(
        "%,d puts on %,d keys, %s, %d threads: %.1f s, %,.0f puts/s, JDK %s%n",
        puts, keys, durability, threads, seconds, puts / seconds, Runtime.version());
    out.printf(
        "compactions %d (failed %d), last %d ms, forces %d%n",
        log.compactions(), log.failedCompactions(), log.lastCompaction().toMillis(), log.forces());
    long live = keys * ENTRY_BYTES;
    long bound = SPARE_BYTES + Math.max(2 * live + logBytesMax, 3 * live - 2 * logBytesMax / 3);
    out.printf(
        "live %.1f MiB, log at most %.0f MiB, folder at most %.1f MiB: %.0f %% of the bound%n",
        mebibytes(live),
        mebibytes(logBytesMax),
        mebibytes(folderBytesMax),
        100.0 * folderBytesMax / bound);
    out.println("writers: " + all);
    out.println("control: " + control);
    out.println(
        "stalls of a writer over 10 ms while the control thread was not held up: "
            + all.longerThanOf(control));
  }

  private static double mebibytes(long bytes) {
    return bytes / (double) (1 << 20);
  }

  /** How long operations took. For one thread. */
  private static final class StallRecorder {
    static final long SHORT_NANOS = 1_000_000;
    private static final long LONG_NANOS = 10 * SHORT_NANOS;

    private record Stall(long startNanos, long nanos) {
      boolean overlaps(Stall other) {
        return startNanos - other.startNanos < other.nanos && other.startNanos - startNanos < nanos;
      }
    }

    // By the power of two that is not above it, and by eighths of that.
    private final long[] counts = new long[Long.SIZE * 8];
    private final List<Stall> notable = new ArrayList<>(); // a millisecond and longer
    private long maxNanos;

    void add(long startNanos, long nanos) {
      counts[bucket(nanos)]++;
      if (nanos >= SHORT_NANOS) {
        notable.add(new Stall(startNanos, nanos));
        maxNanos = Math.max(maxNanos, nanos);
      }
    }

    private static int bucket(long nanos) {
      long atLeast8 = Math.max(8, nanos);
      int power = Long.SIZE - 1 - Long.numberOfLeadingZeros(atLeast8);
      return 8 * power + (int) (atLeast8 >> (power - 3)) - 8;
    }

    void add(StallRecorder others) {
      for (int i = 0; i < counts.length; i++) {
        counts[i] += others.counts[i];
      }
      notable.addAll(others.notable);
      maxNanos = Math.max(maxNanos, others.maxNanos);
    }

    /** Stalls over 10 ms, less what the other thread was held up meanwhile. */
    String longerThanOf(StallRecorder control) {
      long[] left =
          notable.stream()
              .filter(stall -> stall.nanos > LONG_NANOS)
              .mapToLong(
                  stall ->
                      stall.nanos
                          - control.notable.stream()
                              .filter(stall::overlaps)
                              .mapToLong(Stall::nanos)
                              .sum())
              .filter(nanos -> nanos > LONG_NANOS)
              .toArray();
      return left.length
          + ", the longest "
          + milliseconds(Arrays.stream(left).max().orElse(0))
          + " ms";
    }

    private String quantile(double share) {
      long total = Arrays.stream(counts).sum();
      long seen = 0;
      int i = -1;
      while (seen < share * total) {
        seen += counts[++i];
      }
      long nanos = (8L + i % 8 + 1) << (i / 8) >> 3;
      return nanos < 1000
          ? nanos + " ns"
          : nanos < 1_000_000 ? nanos / 1000 + " us" : milliseconds(nanos) + " ms";
    }

    private static String milliseconds(long nanos) {
      return String.format("%.1f", nanos / 1e6);
    }

    @Override
    public String toString() {
      return String.format(
          "p50 %s, p99 %s, p99.99 %s, max %s ms; over 1 ms %d, over 10 ms %d",
          quantile(0.5),
          quantile(0.99),
          quantile(0.9999),
          milliseconds(maxNanos),
          notable.size(),
          notable.stream().filter(stall -> stall.nanos > LONG_NANOS).count());
    }
  }
}
