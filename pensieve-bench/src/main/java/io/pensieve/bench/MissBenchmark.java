package io.pensieve.bench;

import java.util.Map;
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
 * What does a look-up cost in a cache at work: most are hits, and what is missed is put, which
 * evicts?
 *
 * <p>Zipfian keys, four times as many as the map holds; no log.
 *
 * <pre>java -jar pensieve-bench/target/benchmarks.jar MissBenchmark -t 1   # and -t 2, -t 8</pre>
 */
@State(Scope.Benchmark)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class MissBenchmark {
  private static final int KEYS = 1 << 16;
  private static final int ENTRIES_MAX = KEYS / 4;
  private static final int SEQUENCE_LENGTH = 1 << 18; // a power of two: an index is a mask away
  private static final int SEQUENCE_MASK = SEQUENCE_LENGTH - 1;
  private static final long SEED = 43;

  @Param({"pensieve", "caffeine", "cache2k", "guava", "synchronizedLinkedHashMap"})
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
    for (Long key : sequence) {
      contender.put(key, key);
    }
  }

  @TearDown
  public void close() throws Exception {
    Contenders.close(contender);
  }

  @Benchmark
  public Long getOrPut(Position position) {
    Long key = sequence[position.advance()];
    Long value = contender.get(key);
    if (value == null) {
      contender.put(key, key);
      return key;
    }
    return value;
  }
}
