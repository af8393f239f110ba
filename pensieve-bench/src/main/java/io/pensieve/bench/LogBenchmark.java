package io.pensieve.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does a put cost that survives the death of the process, or a power cut, beside peers with
 * the same promise, and beside what the disk can do?
 *
 * <p>Overwrites by values of 100 bytes, of 100,000 zipfian keys, all of them present. MVStore
 * promises less, see {@link Stores}. The disk is asked by a bare loop of one thread that writes as
 * many bytes into a file that has its size already, and forces them. Put the folder on the disk you
 * mean: on tmpfs a force is free.
 *
 * <pre>
 * java -jar pensieve-bench/target/benchmarks.jar LogBenchmark.processDeath -p folder=. -t 1
 * java -jar pensieve-bench/target/benchmarks.jar LogBenchmark.processDeath -p folder=. -t 2 \
 *     -p valueBytes=1000
 * java -jar pensieve-bench/target/benchmarks.jar LogBenchmark.powerCut -p folder=. -t 1
 * </pre>
 *
 * <p>The whole table with its ratios: {@code pensieve-bench/log-table.sh}.
 */
@Fork(
    value = 2,
    jvmArgsAppend = { // for Chronicle Map
      "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
      "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
      "--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED",
      "--add-opens=jdk.compiler/com.sun.tools.javac=ALL-UNNAMED",
      "--add-opens=java.base/java.lang=ALL-UNNAMED",
      "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
      "--add-opens=java.base/java.io=ALL-UNNAMED",
      "--add-opens=java.base/java.util=ALL-UNNAMED",
      "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED"
    })
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class LogBenchmark {
  private static final int SEQUENCE_LENGTH = 1 << 20; // a power of two: an index is a mask away
  private static final int SEQUENCE_MASK = SEQUENCE_LENGTH - 1;
  private static final long SEED = 42;

  /** A store in a folder of its own. */
  @State(Scope.Benchmark)
  public abstract static class OpenStore {
    @Param(".")
    @SuppressWarnings("NullAway.Init") // JMH sets it
    String folder;

    @Param("100000")
    int entries;

    @Param("100")
    int valueBytes;

    @SuppressWarnings("NullAway.Init") // open() sets it
    private byte[] value;

    @SuppressWarnings("NullAway.Init") // open() sets it
    private Path directory;

    @SuppressWarnings("NullAway.Init") // open() sets it
    private Store opened;

    @SuppressWarnings("NullAway.Init") // open() sets it
    private Long[] sequence;

    abstract Store open(Path where) throws Exception;

    @Setup
    public void open() throws Exception {
      directory = Files.createTempDirectory(Path.of(folder), "log-benchmark");
      value = new byte[valueBytes];
      sequence = Zipf.sequence(entries, SEQUENCE_LENGTH, SEED);
      opened = open(directory);
    }

    void put(Long key) throws Exception {
      opened.put(key, value);
    }

    void put(Position position) throws Exception {
      put(sequence[position.advance()]);
    }

    @TearDown
    public void close() throws Exception {
      opened.close();
      Stores.deleteTree(directory);
    }
  }

  /** Entries survive the death of the process. All keys are present. */
  public static class SurvivingProcessDeath extends OpenStore {
    @Param({"pensieve", "chronicleMap", "rocksDb", "mvStore", "pensieveWithoutLog"})
    @SuppressWarnings("NullAway.Init") // JMH sets it
    String store;

    @Override
    Store open(Path where) throws Exception {
      return Stores.survivingProcessDeath(store, where, entries, valueBytes);
    }

    @Setup
    public void fill() throws Exception {
      for (long key = 0; key < entries; key++) {
        put(key);
      }
    }
  }

  /** Entries survive a power cut. Empty at first: to fill it would take longer than to measure. */
  public static class SurvivingPowerCut extends OpenStore {
    @Param({"pensieve", "rocksDb", "bareLoop"})
    @SuppressWarnings("NullAway.Init") // JMH sets it
    String store;

    @Override
    Store open(Path where) throws Exception {
      return Stores.survivingPowerCut(store, where, entries, valueBytes);
    }
  }

  /** Where a thread is in the sequence; each begins elsewhere. */
  @State(Scope.Thread)
  public static class Position {
    private int next = ThreadLocalRandom.current().nextInt(SEQUENCE_LENGTH);

    int advance() {
      return next++ & SEQUENCE_MASK;
    }
  }

  @Benchmark
  public void processDeath(SurvivingProcessDeath state, Position position) throws Exception {
    state.put(position);
  }

  @Benchmark
  public void powerCut(SurvivingPowerCut state, Position position) throws Exception {
    state.put(position);
  }
}
