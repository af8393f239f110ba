package io.pensieve.bench;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import io.pensieve.Pensieve;
import io.pensieve.PensieveBuilder;
import java.time.Duration;
import java.util.Map;
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
 * What does a {@link Feature} cost a hit, and an overwrite? One map without any stands beside.
 *
 * <p>As with {@link MapBenchmark}: strings as keys, all present, zipf, no log, two thirds full.
 *
 * <pre>java -jar pensieve-bench/target/benchmarks.jar FeatureBenchmark -t 1   # and -t 2</pre>
 */
@State(Scope.Benchmark)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class FeatureBenchmark {
  private static final int SEQUENCE_MASK = MapBenchmark.SEQUENCE_LENGTH - 1;

  /**
   * What a map can do beside keeping entries. Nothing expires or is refreshed while one measures,
   * and a bound of weight evicts as little as one of entries: what is left is what the feature
   * costs.
   */
  public enum Feature {
    NONE,

    /** All entries have a life, which a write begins again. */
    EXPIRE_AFTER_WRITE,

    /** The same, and a read begins it again, too. */
    EXPIRE_AFTER_ACCESS,

    /** The user's code says how long each entry lives: as before after a write or a read. */
    EXPIRE_AFTER,

    /** The user's code says how much each entry weighs. */
    MAXIMUM_WEIGHT,

    /** A read may have to reload its entry. */
    REFRESH_AFTER_WRITE;

    private static final Duration LIFE = Duration.ofHours(1);

    /** An empty map that has this, and holds at most so many entries. */
    <K> Map<K, K> create(String map, int entriesMax) {
      return switch (map) {
        case "pensieve" -> pensieve(Pensieve.builder(), entriesMax);
        case "caffeine" -> caffeine(entriesMax);
        default -> throw new IllegalArgumentException("no such map: " + map);
      };
    }

    private <K> Map<K, K> pensieve(PensieveBuilder<K, K> builder, int entriesMax) {
      PensieveBuilder<K, K> unused =
          switch (this) {
            case NONE -> builder;
            case EXPIRE_AFTER_WRITE -> builder.expireAfterWrite(LIFE);
            case EXPIRE_AFTER_ACCESS -> builder.expireAfterAccess(LIFE);
            case EXPIRE_AFTER -> builder.expireAfter((key, value) -> LIFE);
            case MAXIMUM_WEIGHT -> builder.maximumWeight(entriesMax, (key, value) -> 1);
            case REFRESH_AFTER_WRITE -> builder.refreshAfterWrite(LIFE, (key, value) -> value);
          };
      return builder.maximumEntries(entriesMax).open();
    }

    private <K> Map<K, K> caffeine(int entriesMax) {
      Caffeine<Object, Object> builder = Caffeine.newBuilder().initialCapacity(entriesMax);
      if (this == MAXIMUM_WEIGHT) {
        return builder.maximumWeight(entriesMax).weigher((key, value) -> 1).<K, K>build().asMap();
      }
      builder.maximumSize(entriesMax);
      return switch (this) {
        case EXPIRE_AFTER_WRITE -> builder.expireAfterWrite(LIFE).<K, K>build().asMap();
        case EXPIRE_AFTER_ACCESS -> builder.expireAfterAccess(LIFE).<K, K>build().asMap();
        case EXPIRE_AFTER ->
            builder
                .expireAfter(Expiry.creating((Object key, Object value) -> LIFE))
                .<K, K>build()
                .asMap();
        case REFRESH_AFTER_WRITE -> builder.refreshAfterWrite(LIFE).<K, K>build(key -> key).asMap();
        default -> builder.<K, K>build().asMap();
      };
    }
  }

  @Param({"pensieve", "caffeine"})
  @SuppressWarnings("NullAway.Init") // JMH sets it
  String map;

  @Param
  @SuppressWarnings("NullAway.Init") // JMH sets it, to each of them
  Feature feature;

  @Param("16384")
  int entries;

  @SuppressWarnings("NullAway.Init") // fill() sets it
  private Map<Object, Object> contender;

  @SuppressWarnings("NullAway.Init") // fill() sets it
  private Object[] sequence;

  @Setup
  public void fill() {
    contender = feature.create(map, entries + entries / 2);
    Keys.NUMBERED.putInto(contender, entries);
    int[] numbers =
        Zipf.numbers(entries, MapBenchmark.SKEW, MapBenchmark.SEQUENCE_LENGTH, MapBenchmark.SEED);
    sequence = Keys.NUMBERED.sequence(entries, numbers);
    System.gc();
  }

  @TearDown
  public void close() throws Exception {
    Contenders.close(contender);
  }

  @Benchmark
  public @Nullable Object getHit(MapBenchmark.Position position) {
    return contender.get(sequence[position.advance(SEQUENCE_MASK)]);
  }

  @Benchmark
  public @Nullable Object overwrite(MapBenchmark.Position position) {
    Object key = sequence[position.advance(SEQUENCE_MASK)];
    return contender.put(key, key);
  }
}
