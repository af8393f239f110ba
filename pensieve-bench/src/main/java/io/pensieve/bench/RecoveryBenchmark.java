package io.pensieve.bench;

import io.pensieve.Pensieve;
import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.ReplayHandler;
import io.pensieve.log.file.FileLog;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.IntUnaryOperator;

/**
 * How many entries of 100 bytes a second come back when a log is opened, with one thread and with
 * one for each processor?
 *
 * <p>Keys are strings of 16 bytes, values strings of 100. Three histories: {@code log} has a put
 * for each entry, {@code base} was compacted, {@code overwrites} has four puts for each entry, most
 * of them of a few hot keys. Opened again and again in one JVM: the first round is what a program
 * gets that has just been started. The time is that of {@code open}; the processor time is that of
 * all threads, the JVM's own included, and says more than the time when the machine is not idle.
 *
 * <pre>
 * java -Xms6g -Xmx6g -XX:+UseParallelGC -cp pensieve-bench/target/benchmarks.jar \
 *     io.pensieve.bench.RecoveryBenchmark folder=. entries=3000000 history=log rounds=5
 * </pre>
 */
public final class RecoveryBenchmark {
  private static final int PUTS_PER_OVERWRITTEN_ENTRY = 4;
  private static final String VALUE_HEAD = "v".repeat(84);
  private static final long UNLIMITED = 1L << 40;

  private final Path folder;
  private final int entries;
  private final String history;
  private final int rounds;
  private final PrintStream out;

  private RecoveryBenchmark(Map<String, String> options, Path folder, PrintStream out) {
    this.folder = folder;
    this.entries = Integer.parseInt(options.getOrDefault("entries", "3000000"));
    this.history = options.getOrDefault("history", "log");
    this.rounds = Integer.parseInt(options.getOrDefault("rounds", "5"));
    this.out = out;
  }

  /** Writes a log, opens it several times, and prints how long that took. */
  public static void main(String... arguments) throws IOException {
    run(Options.of(arguments), System.out);
  }

  static void run(Map<String, String> options, PrintStream out) throws IOException {
    Path parent = Path.of(options.getOrDefault("folder", "."));
    Path folder = Files.createTempDirectory(parent, "recovery-benchmark");
    try {
      RecoveryBenchmark benchmark = new RecoveryBenchmark(options, folder, out);
      benchmark.fill();
      benchmark.measure();
    } finally {
      Stores.deleteTree(folder);
    }
  }

  private FileLog<String, String> log(int threads, long compactionBytesPerSecond) {
    return FileLog.at(folder, Codec.utf8(), Codec.utf8())
        .recoveryThreads(threads)
        .compactionBytesPerSecond(compactionBytesPerSecond);
  }

  private Pensieve<String, String> open(FileLog<String, String> log) {
    return Pensieve.<String, String>builder().maximumEntries(entries).log(log).open();
  }

  private void fill() {
    switch (history) {
      case "log" -> writeWithoutMap(key -> key, entries);
      case "overwrites" -> {
        Random random = new Random(1);
        writeWithoutMap(i -> skewed(random.nextDouble()), PUTS_PER_OVERWRITTEN_ENTRY * entries);
      }
      case "base" -> writeAndCompact();
      default -> throw new IllegalArgumentException("no such history: " + history);
    }
  }

  private int skewed(double share) {
    return (int) (entries * share * share);
  }

  // A log without a map does not compact itself.
  private void writeWithoutMap(IntUnaryOperator keys, int puts) {
    try (FileLog<String, String> log = log(1, UNLIMITED)) {
      log.replay(new NoOpReplayHandler());
      for (int i = 0; i < puts; i++) {
        log.append(new Change.Put<>(key(keys.applyAsInt(i)), value(i)));
      }
    }
  }

  private void writeAndCompact() {
    FileLog<String, String> log = log(1, UNLIMITED);
    try (Pensieve<String, String> map = open(log)) {
      for (int key = 0; key < entries; key++) {
        map.putAsync(key(key), value(key));
      }
      log.compact();
    }
  }

  private static String key(int number) {
    return String.format(Locale.ROOT, "key-%012d", number);
  }

  private static String value(int number) {
    return VALUE_HEAD + String.format(Locale.ROOT, "%016d", number);
  }

  private static final class NoOpReplayHandler implements ReplayHandler<String, String> {
    @Override
    public void change(long sequence, Change<String, String> change) {}

    @Override
    public void entry(Change.Put<String, String> put, long version, long stamp) {}

    @Override
    public void progress(long bytesRead, long bytesTotal) {}
  }

  private void measure() {
    int processors = Runtime.getRuntime().availableProcessors();
    for (int round = 1; round <= rounds; round++) {
      measure(round, processors);
      measure(round, 1);
    }
  }

  private void measure(int round, int threads) {
    System.gc(); // what the round before has left is not this one's
    long collecting = collectionMillis();
    long processor = processorNanos();
    long start = System.nanoTime();
    // So slow a compaction as this has not begun to matter when the map is closed again.
    try (Pensieve<String, String> map = open(log(threads, 1))) {
      double seconds = (System.nanoTime() - start) / 1e9;
      double processorSeconds = (processorNanos() - processor) / 1e9;
      long changes = map.recovery().changes();
      out.printf(
          Locale.ROOT,
          "%s, round %d, %d threads: %.2f million a second"
              + " (%d changes to %d entries in %.3f s, %.3f s of processor, %d ms collecting)%n",
          history,
          round,
          threads,
          changes / seconds / 1e6,
          changes,
          map.size(),
          seconds,
          processorSeconds,
          collectionMillis() - collecting);
    }
  }

  private static long processorNanos() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean process
        ? process.getProcessCpuTime()
        : 0;
  }

  private static long collectionMillis() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream()
        .mapToLong(GarbageCollectorMXBean::getCollectionTime)
        .sum();
  }
}
