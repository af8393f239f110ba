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
 * <p>All keys are present, no log. The map is two thirds full: below half its bound Caffeine
 * records no reads, and the comparison would be with a map that is not yet a cache. A garbage
 * collection has moved the entries together, as it has in any map that is not just filled. The keys
 * that are asked for equal those of the map, and are other objects.
 *
 * <pre>
 * java -jar pensieve-bench/target/benchmarks.jar MapBenchmark -t 1   # and -t 2, -t 8
 *   -p keys=uuid,path,prefix,record,long -p uses=uniform,one -p entries=1000,32768,1000000
 * </pre>
 */
@State(Scope.Benchmark)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class MapBenchmark {
  static final int SEQUENCE_LENGTH = 1 << 16; // a power of two: an index is a mask away
  private static final int LONG_SEQUENCE = 1 << 22; // for many entries
  static final double SKEW = 0.99;
  static final long SEED = 42;

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

  /** One of {@link Keys}. */
  @Param("numbered")
  @SuppressWarnings("NullAway.Init") // JMH sets it
  String keys;

  /** Which keys are asked for: zipf, uniform, or one. */
  @Param("zipf")
  @SuppressWarnings("NullAway.Init") // JMH sets it
  String uses;

  @Param("16384")
  int entries;

  @SuppressWarnings("NullAway.Init") // fill() sets it
  private Map<Object, Object> contender;

  @SuppressWarnings("NullAway.Init") // fill() sets it
  private Object[] sequence;

  private int mask;

  /** Where a thread is in the sequence; each begins elsewhere. */
  @State(Scope.Thread)
  public static class Position {
    private int next = ThreadLocalRandom.current().nextInt(SEQUENCE_LENGTH);

    int advance(int mask) {
      return next++ & mask;
    }
  }

  @Setup
  public void fill() {
    contender = Contenders.create(map, entries + entries / 2);
    Keys kind = Keys.of(keys);
    kind.putInto(contender, entries);
    int length = entries > SEQUENCE_LENGTH ? LONG_SEQUENCE : SEQUENCE_LENGTH;
    int[] numbers =
        switch (uses) {
          case "zipf" -> Zipf.numbers(entries, SKEW, length, SEED);
          case "uniform" -> Zipf.numbers(entries, 0, length, SEED);
          case "one" -> new int[length];
          default -> throw new IllegalArgumentException("no such uses: " + uses);
        };
    mask = length - 1;
    sequence = kind.sequence(entries, numbers);
    System.gc();
  }

  @TearDown
  public void close() throws Exception {
    Contenders.close(contender);
  }

  @Benchmark
  public @Nullable Object getHit(Position position) {
    return contender.get(sequence[position.advance(mask)]);
  }

  @Benchmark
  public @Nullable Object overwrite(Position position) {
    Object key = sequence[position.advance(mask)];
    return contender.put(key, key);
  }
}
