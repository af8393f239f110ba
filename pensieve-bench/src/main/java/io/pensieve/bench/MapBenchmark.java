package io.pensieve.bench;

import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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
 * What does a hit cost, and what an overwrite, beside the maps one would take instead?
 *
 * <p>Zipfian keys, all of them present, no log. The map is two thirds full: below half its bound
 * Caffeine records no reads, and the comparison would be with a map that is not yet a cache. A
 * garbage collection has moved the entries together, as it has in any map that is not just filled.
 *
 * <pre>java -jar pensieve-bench/target/benchmarks.jar MapBenchmark -t 1   # and -t 2</pre>
 */
@State(Scope.Benchmark)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class MapBenchmark {
  private static final int KEYS = 1 << 14;
  private static final int ENTRIES_MAX = KEYS + KEYS / 2;
  private static final int SEQUENCE_LENGTH = 1 << 16; // a power of two: an index is a mask away
  private static final int SEQUENCE_MASK = SEQUENCE_LENGTH - 1;
  private static final long SEED = 42;

  @Param({
    "pensieve",
    "caffeine",
    "cache2k",
    "guava",
    "concurrentHashMap",
    "synchronizedLinkedHashMap"
  })
  @SuppressWarnings("NullAway.Init") // JMH sets it
  String map;

  @SuppressWarnings("NullAway.Init") // fill() sets it
  private Map<Long, Long> contender;

  private final Long[] sequence = Zipf.sequence(KEYS, SEQUENCE_LENGTH, SEED);

  /** Where a thread is in the sequence; each begins elsewhere. */
  @State(Scope.Thread)
  public static class Position {
    private int next = ThreadLocalRandom.current().nextInt(SEQUENCE_LENGTH);

    int advance() {
      return next++ & SEQUENCE_MASK;
    }
  }

  @Setup
  public void fill() {
    contender = Contenders.create(map, ENTRIES_MAX);
    for (long key = 0; key < KEYS; key++) {
      contender.put(key, key);
    }
    System.gc();
  }

  @TearDown
  public void close() throws Exception {
    Contenders.close(contender);
  }

  @Benchmark
  public @Nullable Long getHit(Position position) {
    return contender.get(sequence[position.advance()]);
  }

  @Benchmark
  public @Nullable Long overwrite(Position position) {
    Long key = sequence[position.advance()];
    return contender.put(key, key);
  }
}
