package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.Log;
import io.pensieve.log.file.FileLog;
import io.pensieve.testing.Seed;
import java.nio.file.Path;
import java.time.Duration;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.Set;
import java.util.Spliterator;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The views, their iterators, spliterators and streams, and the calls that change many keys, as
 * those of a {@link java.util.concurrent.ConcurrentHashMap}: what the tests of JSR 166 look at.
 */
@Timeout(120)
class ViewsTest {
  private final Path folder;
  private final ManualClock clock = new ManualClock();
  private @Nullable Pensieve<Long, Long> opened;

  ViewsTest(@TempDir Path parent) {
    folder = parent.resolve("log");
  }

  /** Where the changes go. */
  enum Kind {
    NOWHERE,
    MEMORY,
    FILE,
    FORCED_FILE
  }

  private Pensieve<Long, Long> open(Kind kind, int entries) {
    Log<Long, Long> log =
        switch (kind) {
          case NOWHERE -> Log.none();
          case MEMORY -> new RecordingLog<>();
          case FILE -> file(Durability.PROCESS_DEATH);
          case FORCED_FILE -> file(Durability.POWER_CUT);
        };
    Pensieve<Long, Long> map =
        Pensieve.<Long, Long>builder().maximumEntries(10_000).clock(clock).log(log).open();
    opened = map;
    map.putAll(numbers(entries));
    return map;
  }

  private Log<Long, Long> file(Durability durability) {
    return FileLog.at(folder, Codec.int64(), Codec.int64()).durability(durability);
  }

  private static Map<Long, Long> numbers(int entries) {
    Map<Long, Long> numbers = new TreeMap<>();
    for (long i = 0; i < entries; i++) {
      numbers.put(i, -i);
    }
    return numbers;
  }

  @AfterEach
  void close() {
    if (opened != null) {
      opened.close();
    }
  }

  private static Stream<Collection<?>> views(Map<Long, Long> map) {
    return Stream.of(map.keySet(), map.values(), map.entrySet());
  }

  private static List<String> sorted(Collection<?> elements) {
    return elements.stream().map(Object::toString).sorted().toList();
  }

  @ParameterizedTest
  @EnumSource
  void spliteratorsAreConcurrentAndDoNotSayHowManyWillCome(Kind kind) {
    Pensieve<Long, Long> map = open(kind, 10);
    views(map)
        .forEach(
            view -> {
              Spliterator<?> spliterator = view.spliterator();
              assertTrue(
                  spliterator.hasCharacteristics(Spliterator.CONCURRENT | Spliterator.NONNULL));
              assertFalse(spliterator.hasCharacteristics(Spliterator.SIZED));
              assertFalse(spliterator.hasCharacteristics(Spliterator.SUBSIZED));
              assertFalse(spliterator.hasCharacteristics(Spliterator.IMMUTABLE));
              assertEquals(
                  view instanceof Set, spliterator.hasCharacteristics(Spliterator.DISTINCT));
              assertEquals(-1, spliterator.getExactSizeIfKnown());
              assertHalves(spliterator);
            });
  }

  private static void assertHalves(Spliterator<?> rest) {
    long whole = rest.estimateSize();
    Spliterator<?> half = rest.trySplit();
    assertTrue(half != null && half.estimateSize() == whole / 2, "by bins, not by batches");
    assertEquals(whole / 2, rest.estimateSize());
  }

  @ParameterizedTest
  @EnumSource
  void everyElementComesOnceHoweverASpliteratorIsSplit(Kind kind) {
    Random random = Seed.random(ViewsTest.class);
    for (int entries : List.of(0, 1, 2, 33, 3_000)) {
      Pensieve<Long, Long> map = open(kind, entries);
      views(map)
          .forEach(
              view -> {
                List<String> come = new ArrayList<>();
                take(view.spliterator(), random, element -> come.add(String.valueOf(element)));
                Collections.sort(come);
                assertEquals(sorted(view), come);
                assertEquals(entries, come.size());
              });
      map.close();
    }
  }

  private static <T> void take(
      Spliterator<T> spliterator, Random random, Consumer<? super T> consumer) {
    while (random.nextInt(3) > 0) {
      Spliterator<T> split = spliterator.trySplit();
      if (split == null) {
        break;
      }
      take(split, random, consumer);
    }
    for (int i = random.nextInt(5); i > 0 && spliterator.tryAdvance(consumer); ) {
      i--;
    }
    spliterator.forEachRemaining(consumer);
    assertFalse(spliterator.tryAdvance(consumer));
    assertNull(spliterator.trySplit());
  }

  @ParameterizedTest
  @EnumSource
  void whatHasExpiredIsNeitherCountedNorCompared(Kind kind) {
    Pensieve<Long, Long> map = open(kind, 2);
    map.put(7L, 7L, Duration.ofMillis(20));
    map.put(8L, 8L, Duration.ofMillis(40));
    clock.advance(20);
    assertHolds(map, Map.of(0L, 0L, 1L, -1L, 8L, 8L));
    map.remove(0L);
    map.remove(1L);
    clock.advance(20);
    assertHolds(map, Map.of());
  }

  private static void assertHolds(Pensieve<Long, Long> map, Map<Long, Long> expected) {
    assertEquals(expected.size(), map.size());
    assertEquals(expected.isEmpty(), map.isEmpty());
    assertTrue(map.equals(expected) && expected.equals(map));
    assertEquals(expected.hashCode(), map.hashCode());
    assertEquals(expected.keySet(), map.keySet());
    assertEquals(map.entrySet(), expected.entrySet());
    assertEquals(expected.keySet().hashCode(), map.keySet().hashCode());
    views(map)
        .forEach(
            view -> {
              assertEquals(expected.size(), view.size());
              assertEquals(expected.size(), view.stream().count());
              assertEquals(expected.size(), view.stream().map(one -> one).toArray().length);
              assertEquals(expected.size(), view.toArray().length);
              assertEquals(expected.size(), new ArrayList<>(view).size());
              assertEquals(expected.isEmpty(), view.isEmpty());
            });
    assertEquals(
        expected.values().stream().sorted().toList(), map.values().stream().sorted().toList());
    assertEquals(
        List.copyOf(new TreeSet<>(expected.keySet())), map.keySet().stream().sorted().toList());
  }

  @ParameterizedTest
  @EnumSource
  void parallelStreamsAnswerAsSequentialOnes(Kind kind) {
    Pensieve<Long, Long> map = open(kind, 3_000);
    assertEquals(3_000, map.keySet().parallelStream().count());
    assertEquals(
        LongStream.range(0, 3_000).sum(),
        map.keySet().parallelStream().mapToLong(Long::longValue).sum());
    assertEquals(0, map.values().parallelStream().max(Long::compare).orElseThrow());
    assertEquals(1_500, map.values().parallelStream().filter(value -> value % 2 == 0).count());
    assertEquals(
        new HashMap<>(map),
        map.entrySet().parallelStream()
            .collect(
                HashMap<Long, Long>::new,
                (all, one) -> all.put(one.getKey(), one.getValue()),
                HashMap::putAll));
  }

  @ParameterizedTest
  @EnumSource(names = {"NOWHERE", "FILE"})
  void besideWritersWhatStaysComesOnceAndNoStreamFails(Kind kind) throws Exception {
    Pensieve<Long, Long> map = open(kind, 500);
    AtomicBoolean done = new AtomicBoolean();
    Thread writer =
        new Thread(
            () -> {
              for (long i = 0; !done.get(); i++) {
                map.put(1_000 + i % 3_000, i);
                map.remove(1_000 + (i + 1_700) % 3_000);
              }
            });
    writer.start();
    try {
      List<Long> staying = LongStream.range(0, 500).boxed().toList();
      for (int i = 0; i < 300; i++) {
        Stream<Long> keys = i % 2 == 0 ? map.keySet().stream() : map.keySet().parallelStream();
        assertEquals(staying, keys.filter(key -> key < 500).sorted().toList());
        assertTrue(map.values().stream().toList().size() >= 500);
        assertTrue(map.entrySet().parallelStream().toArray().length >= 500);
      }
    } finally {
      done.set(true);
      writer.join();
    }
  }

  @ParameterizedTest
  @EnumSource
  void onlyTheValueThatWasSeenIsRemoved(Kind kind) {
    Pensieve<Long, Long> map = open(kind, 1);
    assertFalse(map.values().removeIf(value -> overwriteIfZero(map, value)));
    assertEquals(1, map.put(0L, 0L));
    assertFalse(map.entrySet().removeIf(entry -> overwriteIfZero(map, entry.getValue())));
    assertEquals(1, map.put(0L, 0L));
    assertFalse(map.values().retainAll(new OverwritingList(map, false)));
    assertEquals(1, map.put(0L, 0L));
    assertFalse(map.values().removeAll(new OverwritingList(map, true)));
    List<Function<Map<Long, Long>, Iterator<?>>> iterators =
        List.of(
            view -> view.keySet().iterator(),
            view -> view.values().iterator(),
            view -> view.entrySet().iterator());
    for (Function<Map<Long, Long>, Iterator<?>> of : iterators) {
      map.put(0L, 0L);
      Iterator<?> iterator = of.apply(map);
      iterator.next();
      map.put(0L, 0L); // the same value is another version
      iterator.remove();
      assertEquals(0, map.get(0L));
      iterator = of.apply(map);
      iterator.next();
      iterator.remove();
      assertNull(map.get(0L));
    }
  }

  private static boolean overwriteIfZero(Map<Long, Long> map, long value) {
    if (value == 0) {
      map.put(0L, 1L);
    }
    return value == 0;
  }

  /** Says of a value whether it is here, and overwrites it meanwhile. */
  private static final class OverwritingList extends AbstractList<Long> {
    private final Map<Long, Long> map;
    private final boolean answer;

    OverwritingList(Map<Long, Long> map, boolean answer) {
      this.map = map;
      this.answer = answer;
    }

    @Override
    public boolean contains(@Nullable Object value) {
      map.put(0L, 1L);
      return answer;
    }

    @Override
    public Long get(int index) {
      throw new IndexOutOfBoundsException(index);
    }

    @Override
    public int size() {
      return 0;
    }
  }

  @ParameterizedTest
  @EnumSource
  void aKeyIsRemovedWhateverItsValueIsByThen(Kind kind) {
    Pensieve<Long, Long> map = open(kind, 1);
    assertTrue(map.keySet().removeIf(key -> overwriteIfZero(map, key)));
    assertTrue(map.isEmpty());
  }

  @ParameterizedTest
  @EnumSource
  void whatIsSetThroughAnEntryIsRemovedThroughItsIterator(Kind kind) {
    Pensieve<Long, Long> map = open(kind, 1);
    Iterator<Map.Entry<Long, Long>> iterator = map.entrySet().iterator();
    iterator.next().setValue(5L);
    iterator.remove();
    assertTrue(map.isEmpty());
    assertThrows(IllegalStateException.class, iterator::remove);
    assertThrows(NoSuchElementException.class, iterator::next);
  }

  @ParameterizedTest
  @EnumSource
  void bulkCallsDoWhatThoseOfAHashMapDo(Kind kind) {
    Random random = Seed.random(ViewsTest.class);
    Pensieve<Long, Long> map = open(kind, 0);
    Map<Long, Long> model = new HashMap<>();
    for (int i = 0; i < 300; i++) {
      long limit = random.nextInt(40);
      Collection<Long> some =
          random.nextBoolean() ? new TreeSet<>(numbers(60).keySet()) : new ArrayList<>();
      some.removeIf(number -> number % 4 == limit % 4);
      IntStream.range(0, random.nextInt(10)).forEach(n -> some.add((long) random.nextInt(40)));
      assertEquals(bulk(i % 14, model, limit, some), bulk(i % 14, map, limit, some));
      assertEquals(model, map);
      assertEquals(model.size(), map.size());
    }
  }

  private static boolean bulk(int which, Map<Long, Long> map, long limit, Collection<Long> some) {
    switch (which) {
      case 0, 5, 9 -> map.putAll(numbers((int) limit));
      case 1 -> map.replaceAll((key, value) -> key % 3 == 0 ? limit : value);
      case 2 -> {
        return map.keySet().removeIf(key -> key > limit);
      }
      case 3 -> {
        return map.values().removeIf(value -> value < -limit);
      }
      case 4 -> {
        return map.entrySet().removeIf(entry -> entry.getKey() + entry.getValue() == limit);
      }
      case 6 -> {
        return map.keySet().removeAll(some);
      }
      case 7 -> {
        return map.keySet().retainAll(some);
      }
      case 8 -> {
        return map.values().retainAll(some);
      }
      case 10 -> {
        return map.values().removeAll(some);
      }
      case 11 -> {
        return map.entrySet().removeAll(numbers((int) limit).entrySet());
      }
      case 12 -> {
        return map.entrySet().retainAll(numbers(60).entrySet());
      }
      default -> map.clear();
    }
    return false;
  }

  @ParameterizedTest
  @EnumSource
  void aFunctionOfReplaceAllSeesAValueThatWasWrittenMeanwhile(Kind kind) {
    Pensieve<Long, Long> map = open(kind, 3);
    List<Long> seen = new ArrayList<>();
    map.replaceAll(
        (key, value) -> {
          seen.add(value);
          if (value == -1) {
            map.put(1L, 10L);
          } else if (value == -2) {
            map.remove(2L);
          }
          return value + 100;
        });
    assertEquals(Map.of(0L, 100L, 1L, 110L), map);
    Collections.sort(seen);
    assertEquals(List.of(-2L, -1L, 0L, 10L), seen);
  }

  @ParameterizedTest
  @EnumSource
  void aBulkCallThatIsBrokenOffHasDoneWhatCameBefore(Kind kind) {
    Pensieve<Long, Long> map = open(kind, 5);
    List<Long> looked = new ArrayList<>();
    assertThrows(
        IllegalStateException.class,
        () ->
            map.keySet()
                .removeIf(
                    key -> {
                      if (looked.size() == 2) {
                        throw new IllegalStateException("a test's predicate");
                      }
                      return looked.add(key);
                    }));
    assertEquals(2, looked.size());
    assertEquals(3, map.size());
    assertTrue(Collections.disjoint(looked, map.keySet()));
  }

  @ParameterizedTest
  @EnumSource(names = "NOWHERE")
  @NullUnmarked
  void nullIsRefusedWhereAConcurrentHashMapRefusesIt(Kind kind) {
    Pensieve<Long, Long> map = open(kind, 2);
    List<Callable<?>> calls =
        List.of(
            () -> map.get(null),
            () -> map.getOrDefault(null, 1L),
            () -> map.containsKey(null),
            () -> map.containsValue(null),
            () -> map.getVersioned(null),
            () -> map.getAsync(null),
            () -> map.put(null, 1L),
            () -> map.put(1L, null),
            () -> map.put(1L, 1L, null),
            () -> map.putIfAbsent(null, 1L),
            () -> map.putIfAbsent(1L, null),
            () -> nothing(() -> map.putAll(null)),
            () -> nothing(() -> map.putAll(Collections.singletonMap(null, 1L))),
            () -> nothing(() -> map.putAll(Collections.singletonMap(1L, null))),
            () -> map.remove(null),
            () -> map.remove(null, 1L),
            () -> map.replace(null, 1L),
            () -> map.replace(1L, null),
            () -> map.replace(1L, null, 1L),
            () -> map.replace(1L, -1L, null),
            () -> nothing(() -> map.replaceAll(null)),
            () -> nothing(() -> map.replaceAll((key, value) -> null)),
            () -> map.compute(null, (key, value) -> 1L),
            () -> map.compute(1L, null),
            () -> map.computeIfAbsent(null, key -> 1L),
            () -> map.computeIfAbsent(1L, null),
            () -> map.computeIfPresent(null, (key, value) -> 1L),
            () -> map.computeIfPresent(1L, null),
            () -> map.merge(null, 1L, Long::sum),
            () -> map.merge(1L, null, Long::sum),
            () -> map.merge(1L, 1L, null),
            () -> nothing(() -> map.forEach(null)),
            () -> map.putAsync(null, 1L),
            () -> map.removeAsync(null),
            () -> map.replaceIfVersion(null, 1, 1L),
            () -> map.removeIfVersion(null, 1),
            () -> map.increment(null, 1, null),
            () -> map.writeAsync((AtomicBatch<Long, Long>) null),
            () -> nothing(() -> map.backup(null)),
            () -> map.keySet().removeIf(null),
            () -> map.values().removeIf(null),
            () -> map.entrySet().removeAll(null),
            () -> map.keySet().retainAll(null),
            () -> map.values().removeAll(null),
            () -> nothing(() -> map.keySet().forEach(null)),
            () -> map.values().spliterator().tryAdvance(null),
            () -> nothing(() -> map.entrySet().spliterator().forEachRemaining(null)));
    for (int i = 0; i < calls.size(); i++) {
      assertThrows(NullPointerException.class, calls.get(i)::call, "call " + i);
    }
    assertEquals(Map.of(0L, 0L, 1L, -1L), map);
  }

  private static @Nullable Object nothing(Runnable action) {
    action.run();
    return null;
  }
}
