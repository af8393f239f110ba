package io.pensieve.bench;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
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
 * What does a put cost that must evict, by the size of the map?
 *
 * <p>The map is full, no log, and every key is new, so that each put evicts one entry (or, with
 * Caffeine, has the new one turned away).
 *
 * <pre>java -jar pensieve-bench/target/benchmarks.jar EvictionBenchmark -t 1   # and -t 2</pre>
 */
@State(Scope.Benchmark)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class EvictionBenchmark {
  @Param({"pensieve", "caffeine", "cache2k", "guava", "synchronizedLinkedHashMap"})
  @SuppressWarnings("NullAway.Init") // JMH sets it
  String map;

  @Param({"1000", "100000", "1000000"})
  int entries;

  @SuppressWarnings("NullAway.Init") // fill() sets it
  private Map<Long, Long> contender;

  /** A thread's keys, which no other thread puts. */
  @State(Scope.Thread)
  public static class NewKeys {
    private static final AtomicLong THREADS = new AtomicLong();
    private static final int KEY_BITS = 48;

    private long next = THREADS.incrementAndGet() << KEY_BITS;

    Long take() {
      return next++;
    }
  }

  @Setup
  public void fill() {
    contender = Contenders.create(map, entries);
    for (long key = 0; key < entries; key++) {
      contender.put(key, key);
    }
  }

  @TearDown
  public void close() throws Exception {
    Contenders.close(contender);
  }

  @Benchmark
  public @Nullable Long putNew(NewKeys keys) {
    Long key = keys.take();
    return contender.put(key, key);
  }
}
