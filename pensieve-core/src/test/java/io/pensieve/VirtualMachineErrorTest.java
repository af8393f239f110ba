package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Log;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * An {@code Error} at any instant: the stack ends at any call of any operation, or a clock,
 * weigher, comparator, function, listener or log throws once. Afterwards another thread can write
 * every key, and the map is what its log says, within its bounds, in one piece.
 */
@Timeout(300)
@Tag(Depth.TAG)
class VirtualMachineErrorTest {
  private static final int KEYS = 24;
  private static final int BOUND = 16;
  private static final int TRIES = Depth.of(100, 1_500, 200_000);
  private static final int TRIES_A_LOOK = 25;

  // Enough for every kind of operation, and of error. A class whose initialization the end of the
  // stack has ended is broken for the whole process, also for other tests (NoClassDefFoundError).
  private static final int WARM_UP = 600;

  private final Random random = Seed.random(VirtualMachineErrorTest.class);
  private final ExecutorService others = Executors.newSingleThreadExecutor();
  private final StackOverflows stack = new StackOverflows();
  private final TestLog log = new TestLog();
  private volatile int seamsLeft = Integer.MAX_VALUE;
  private volatile boolean isWeighed = true;
  private volatile @Nullable Thread tested; // nobody else's seams throw
  private volatile long nowMillis = 1_700_000_000_000L;

  /** Thrown by the test's seams. */
  private static final class InjectedError extends Error {
    private static final long serialVersionUID = 1L;

    InjectedError() {
      super("thrown by a test", null, false, false);
    }
  }

  /** Takes a change in its last step, which needs neither stack nor heap. */
  private final class TestLog implements Log<Integer, Integer> {
    @SuppressWarnings({"unchecked", "rawtypes"}) // an array cannot be made otherwise
    private final List<Change<Integer, Integer>>[] appended =
        new List[WARM_UP + TRIES_A_LOOK * 1_000];

    private int count;
    private long lastSequence;

    @Override
    public RecoveryReport replay(ReplayHandler<Integer, Integer> handler) {
      return RecoveryReport.empty();
    }

    @Override
    public long append(Change<Integer, Integer> change) {
      return appendAtomically(List.of(change))[0];
    }

    @Override
    public long[] appendAtomically(List<Change<Integer, Integer>> changes) {
      seam();
      List<Change<Integer, Integer>> copy = List.copyOf(changes);
      long[] sequences = new long[copy.size()];
      synchronized (this) {
        for (int i = 0; i < sequences.length; i++) {
          sequences[i] = ++lastSequence;
        }
        appended[count] = copy;
        count++;
      }
      return sequences;
    }

    synchronized Map<Integer, Integer> fold() {
      Map<Integer, Integer> entries = new HashMap<>();
      for (int i = 0; i < count; i++) {
        for (Change<Integer, Integer> change : appended[i]) {
          if (change instanceof Change.Put<Integer, Integer> put) {
            entries.put(put.key(), put.value());
          } else {
            entries.remove(change.key());
          }
        }
      }
      return entries;
    }

    // What the map is now, said shorter.
    synchronized void shorten() {
      List<Change<Integer, Integer>> all = new ArrayList<>();
      fold().forEach((key, value) -> all.add(new Change.Put<>(key, value)));
      appended[0] = all;
      count = 1;
    }

    @Override
    public long durableSequence() {
      return Long.MAX_VALUE;
    }

    @Override
    public void awaitDurable(long sequence) {}

    @Override
    public CompletableFuture<Void> whenDurable(long sequence) {
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public void close() {}
  }

  private void seam() {
    int left = seamsLeft;
    if (left != Integer.MAX_VALUE && Thread.currentThread() == tested) {
      seamsLeft = left == 0 ? Integer.MAX_VALUE : left - 1;
      if (left == 0) {
        throw new InjectedError();
      }
    }
  }

  private int compare(Integer one, Integer other) {
    seam();
    return Integer.compare(one, other);
  }

  private final class SeamClock implements InstantSource {
    @Override
    public long millis() {
      seam();
      return nowMillis;
    }

    @Override
    public Instant instant() {
      return Instant.ofEpochMilli(millis());
    }
  }

  @AfterEach
  void stop() {
    others.shutdownNow();
  }

  @Test
  void aMapWithoutALogOutlivesErrors() throws Exception {
    Pensieve<Integer, Integer> map =
        Pensieve.<Integer, Integer>builder().maximumEntries(BOUND).open();
    StackOverflows.inSmallThread(() -> survive(map, false));
  }

  @Test
  void aMapWithEverythingOutlivesErrors() throws Exception {
    Pensieve<Integer, Integer> map =
        Pensieve.<Integer, Integer>builder()
            .maximumEntries(BOUND)
            .maximumWeight(
                100,
                (key, value) -> {
                  seam();
                  return value % 10;
                })
            .clock(new SeamClock())
            .orderKeys(this::compare)
            .removalListener((key, value, cause) -> {})
            .log(log)
            .open();
    map.orderedKeys(); // writers keep the list from now on
    StackOverflows.inSmallThread(() -> survive(map, true));
  }

  /** Its puts replace values at once: see {@code NodeWriter.replaceAtOnce}. */
  @Test
  void aMapThatDoesNotWeighOutlivesErrors() throws Exception {
    isWeighed = false;
    Pensieve<Integer, Integer> map =
        Pensieve.<Integer, Integer>builder()
            .maximumEntries(BOUND)
            .clock(new SeamClock())
            .orderKeys(this::compare)
            .removalListener((key, value, cause) -> {})
            .log(log)
            .open();
    map.orderedKeys();
    StackOverflows.inSmallThread(() -> survive(map, true));
  }

  private Object survive(Pensieve<Integer, Integer> map, boolean withEverything) throws Exception {
    tested = Thread.currentThread();
    warmUp(map, withEverything);
    int errors = 0;
    for (int i = 1; i <= TRIES; i++) {
      Runnable operation = operation(map, random.nextInt(KEYS), withEverything);
      try {
        if (withEverything && random.nextBoolean()) {
          seamsLeft = random.nextInt(12);
          operation.run();
        } else {
          stack.run(random.nextInt(random.nextInt(300) + 1), operation);
        }
      } catch (StackOverflowError | InjectedError | ArithmeticException ended) {
        errors++;
      } finally {
        seamsLeft = Integer.MAX_VALUE;
      }
      if (i % TRIES_A_LOOK == 0) {
        inOtherThread(() -> assertIsWhole(map, withEverything));
      }
    }
    assertTrue(errors > TRIES / 10, "operations were ended: " + errors);
    return errors;
  }

  private void warmUp(Pensieve<Integer, Integer> map, boolean withEverything) throws Exception {
    for (int i = 0; i < WARM_UP; i++) {
      Runnable operation = operation(map, random.nextInt(KEYS), withEverything);
      seamsLeft = i % 2 == 0 ? Integer.MAX_VALUE : random.nextInt(12);
      try {
        operation.run();
      } catch (InjectedError | ArithmeticException ended) {
        // What handles errors has its classes now.
      }
    }
    seamsLeft = Integer.MAX_VALUE;
    inOtherThread(() -> assertIsWhole(map, withEverything));
  }

  private Runnable operation(Pensieve<Integer, Integer> map, Integer key, boolean all) {
    Integer value = 1 + random.nextInt(1_000);
    Integer other = random.nextInt(KEYS);
    return switch (random.nextInt(all ? 12 : 10)) {
      case 0 -> () -> map.remove(key);
      case 1 -> () -> map.putIfAbsent(key, value);
      case 2 -> () -> map.compute(key, (k, v) -> throwing(v, value));
      case 3 -> () -> map.computeIfAbsent(key, k -> throwing(k, value));
      case 4 -> () -> map.merge(key, value, (v, w) -> v % 3 == 0 ? null : throwing(v, w));
      case 5 -> () -> map.get(key);
      case 6 ->
          () -> map.writeAsync(new AtomicBatch<Integer, Integer>().put(key, value).remove(other));
      case 7 ->
          () ->
              map.writeAsync(
                  new AtomicBatch<Integer, Integer>().put(key, value).get(other).put(KEYS, 1));
      case 8 -> () -> map.replaceAll((k, v) -> throwing(v, value));
      case 10 -> () -> map.put(key, value, Duration.ofMillis(1 + value % 3));
      case 11 -> this::advance;
      default -> () -> map.put(key, value);
    };
  }

  private void advance() {
    long before = nowMillis;
    nowMillis = before + 1; // by one thread only
  }

  private Integer throwing(Integer ignored, Integer value) {
    seam();
    return value;
  }

  private void inOtherThread(Callable<?> look) throws Exception {
    others.submit(look).get(2, TimeUnit.MINUTES);
  }

  private Object assertIsWhole(Pensieve<Integer, Integer> map, boolean withEverything) {
    for (int key = 0; key <= KEYS; key++) {
      map.merge(key, 1, (value, one) -> value);
      assertEquals(key, map.computeIfPresent(key, (k, v) -> k), "nobody owns the key");
    }
    map.cleanUp();
    assertHolds(map, withEverything);
    for (int key = 0; key < BOUND; key++) {
      map.put(1_000 + key, 1);
    }
    assertHolds(map, withEverything);
    assertEquals(BOUND, map.size(), "the new ones are there, and all others are gone");
    for (int key = 0; key < BOUND; key++) {
      assertEquals(1, map.remove(1_000 + key));
    }
    assertEquals(0, map.size());
    assertEquals(0, map.statistics().weight());
    if (withEverything) {
      log.shorten();
    }
    return map;
  }

  private void assertHolds(Pensieve<Integer, Integer> map, boolean withEverything) {
    Map<Integer, Integer> entries = new HashMap<>(map);
    assertTrue(map.size() <= BOUND, "the bound holds");
    assertEquals(map.size(), entries.size(), "each one is counted");
    if (!withEverything) {
      return;
    }
    assertEquals(log.fold(), entries);
    int weight = entries.values().stream().mapToInt(value -> isWeighed ? value % 10 : 1).sum();
    assertEquals(weight, map.statistics().weight());
    List<Integer> ordered = new ArrayList<>();
    map.orderedKeys().forEach(ordered::add);
    assertEquals(entries.keySet(), new HashSet<>(ordered));
    assertEquals(entries.size(), ordered.size());
  }
}
