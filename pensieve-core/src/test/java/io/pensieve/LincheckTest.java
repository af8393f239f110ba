package io.pensieve;

import io.pensieve.testing.Depth;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Whatever two or three threads do to two keys of a map without a log, the answers are those that a
 * plain map gives in some order of the operations that respects time. In the profile "deep".
 *
 * <p>Nothing is evicted: an eviction is an operation that nobody called.
 */
@Tag(Depth.TAG)
class LincheckTest {
  /** The map's operations on one key; those on versions in loops that end when they succeed. */
  @Param(name = "key", gen = IntGen.class, conf = "1:2")
  @Param(name = "value", gen = IntGen.class, conf = "1:3")
  public static final class MapOperations {
    private final Pensieve<Integer, Integer> map =
        Pensieve.<Integer, Integer>builder().maximumEntries(1_000).open();

    @Operation
    public @Nullable Integer get(@Param(name = "key") int key) {
      return map.get(key);
    }

    @Operation
    public boolean containsKey(@Param(name = "key") int key) {
      return map.containsKey(key);
    }

    @Operation
    public @Nullable Integer put(@Param(name = "key") int key, @Param(name = "value") int value) {
      return map.put(key, value);
    }

    @Operation
    public @Nullable Integer remove(@Param(name = "key") int key) {
      return map.remove(key);
    }

    @Operation
    public boolean removeValue(@Param(name = "key") int key, @Param(name = "value") int value) {
      return map.remove(key, value);
    }

    @Operation
    public @Nullable Integer putIfAbsent(
        @Param(name = "key") int key, @Param(name = "value") int value) {
      return map.putIfAbsent(key, value);
    }

    @Operation
    public @Nullable Integer replace(
        @Param(name = "key") int key, @Param(name = "value") int value) {
      return map.replace(key, value);
    }

    @Operation
    public boolean replaceValue(
        @Param(name = "key") int key,
        @Param(name = "value") int oldValue,
        @Param(name = "value") int newValue) {
      return map.replace(key, oldValue, newValue);
    }

    @Operation
    public @Nullable Integer compute(@Param(name = "key") int key) {
      return map.compute(key, (k, value) -> nextOrNull(value));
    }

    @Operation
    public @Nullable Integer computeIfAbsent(@Param(name = "key") int key) {
      return map.computeIfAbsent(key, k -> 7);
    }

    @Operation
    public @Nullable Integer merge(@Param(name = "key") int key, @Param(name = "value") int value) {
      return map.merge(key, value, Integer::sum);
    }

    @Operation
    public @Nullable Integer incrementIfVersion(@Param(name = "key") int key) {
      for (Versioned<Integer> read; (read = map.getVersioned(key)) != null; ) {
        if (map.replaceIfVersion(key, read.version(), read.value() + 1)) {
          return read.value();
        }
      }
      return null;
    }

    @Operation
    public @Nullable Integer removeIfVersion(@Param(name = "key") int key) {
      for (Versioned<Integer> read; (read = map.getVersioned(key)) != null; ) {
        if (map.removeIfVersion(key, read.version())) {
          return read.value();
        }
      }
      return null;
    }
  }

  /** What the operations mean, one after another. */
  public static final class MapSpecification {
    private final Map<Integer, Integer> map = new HashMap<>();

    public @Nullable Integer get(int key) {
      return map.get(key);
    }

    public boolean containsKey(int key) {
      return map.containsKey(key);
    }

    public @Nullable Integer put(int key, int value) {
      return map.put(key, value);
    }

    public @Nullable Integer remove(int key) {
      return map.remove(key);
    }

    public boolean removeValue(int key, int value) {
      return map.remove(key, value);
    }

    public @Nullable Integer putIfAbsent(int key, int value) {
      return map.putIfAbsent(key, value);
    }

    public @Nullable Integer replace(int key, int value) {
      return map.replace(key, value);
    }

    public boolean replaceValue(int key, int oldValue, int newValue) {
      return map.replace(key, oldValue, newValue);
    }

    public @Nullable Integer compute(int key) {
      return map.compute(key, (k, value) -> nextOrNull(value));
    }

    public @Nullable Integer computeIfAbsent(int key) {
      return map.computeIfAbsent(key, k -> 7);
    }

    public @Nullable Integer merge(int key, int value) {
      return map.merge(key, value, Integer::sum);
    }

    public @Nullable Integer incrementIfVersion(int key) {
      Integer value = map.get(key);
      return value == null ? null : map.put(key, value + 1);
    }

    public @Nullable Integer removeIfVersion(int key) {
      return map.remove(key);
    }
  }

  /**
   * Batches of both keys, and what writes a key alone. Nothing here reads a key alone: such a
   * reader may see a batch's keys one after another.
   */
  @Param(name = "key", gen = IntGen.class, conf = "1:2")
  @Param(name = "value", gen = IntGen.class, conf = "1:3")
  public static final class BatchOperations {
    private final Pensieve<Integer, Integer> map =
        Pensieve.<Integer, Integer>builder().maximumEntries(1_000).open();

    @Operation
    public String getBoth() {
      return previous(map.writeAsync(new AtomicBatch<Integer, Integer>().get(1).get(2)));
    }

    @Operation
    public String putBoth(
        @Param(name = "value") int firstValue, @Param(name = "value") int secondValue) {
      AtomicBatch<Integer, Integer> batch = new AtomicBatch<>();
      return previous(map.writeAsync(batch.put(1, firstValue).put(2, secondValue)));
    }

    @Operation
    public String removeBoth() {
      return previous(map.writeAsync(new AtomicBatch<Integer, Integer>().remove(2).remove(1)));
    }

    @Operation
    public String moveToSecondIfItIsAbsent(@Param(name = "value") int value) {
      AtomicBatch<Integer, Integer> batch = new AtomicBatch<>();
      return previous(map.writeAsync(batch.requireAbsent(2).put(2, value).remove(1)));
    }

    @Operation
    public @Nullable Integer put(@Param(name = "key") int key, @Param(name = "value") int value) {
      return map.put(key, value);
    }

    @Operation
    public @Nullable Integer remove(@Param(name = "key") int key) {
      return map.remove(key);
    }

    @Operation
    public @Nullable Integer merge(@Param(name = "key") int key, @Param(name = "value") int value) {
      return map.merge(key, value, Integer::sum);
    }

    private static String previous(BatchResult<Integer> outcome) {
      return outcome.applied()
          ? outcome.results().stream()
              .map(operationResult -> String.valueOf(operationResult.previous()))
              .collect(Collectors.joining(" "))
          : "refused";
    }
  }

  /** What the batches mean, one after another. */
  public static final class BatchSpecification {
    private final Map<Integer, Integer> map = new HashMap<>();

    public String getBoth() {
      return map.get(1) + " " + map.get(2);
    }

    public String putBoth(int firstValue, int secondValue) {
      return map.put(1, firstValue) + " " + map.put(2, secondValue);
    }

    public String removeBoth() {
      return map.remove(2) + " " + map.remove(1);
    }

    public String moveToSecondIfItIsAbsent(int value) {
      return map.containsKey(2) ? "refused" : "null " + map.put(2, value) + " " + map.remove(1);
    }

    public @Nullable Integer put(int key, int value) {
      return map.put(key, value);
    }

    public @Nullable Integer remove(int key) {
      return map.remove(key);
    }

    public @Nullable Integer merge(int key, int value) {
      return map.merge(key, value, Integer::sum);
    }
  }

  private static @Nullable Integer nextOrNull(@Nullable Integer value) {
    if (value == null) {
      return 1;
    }
    return value % 2 == 0 ? null : Integer.valueOf(value + 1);
  }

  @Test
  void underStressTheAnswersAreThoseOfAPlainMap() {
    stress(MapOperations.class, MapSpecification.class);
  }

  @Test
  void underStressBatchesAreDoneAsOne() {
    stress(BatchOperations.class, BatchSpecification.class);
  }

  private static void stress(Class<?> subject, Class<?> model) {
    new StressOptions()
        .iterations(Depth.of(10, 10, 100))
        .invocationsPerIteration(Depth.of(1_000, 1_000, 5_000))
        .threads(3)
        .actorsPerThread(3)
        .sequentialSpecification(model)
        .check(subject);
  }

  @Test
  void withThreadsSwitchedAtWillTheAnswersAreThoseOfAPlainMap() {
    new ModelCheckingOptions()
        .iterations(Depth.of(5, 5, 30))
        .invocationsPerIteration(Depth.of(100, 100, 400))
        .threads(2)
        .actorsPerThread(3)
        .sequentialSpecification(MapSpecification.class)
        .check(MapOperations.class);
  }
}
