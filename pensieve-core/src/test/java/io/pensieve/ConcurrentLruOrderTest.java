package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Log;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Under many threads an entry is not evicted while more than 1 % of the bound, or 8, stay that were
 * last used before it. Where entries are weighed, it is 1 % of the entries that are there.
 *
 * <p>Every use is recorded with the times of its beginning and end. "Before" means ended before the
 * other one began; uses that overlap are one. Only what surely counts is held against the map.
 */
@Timeout(120)
class ConcurrentLruOrderTest {
  private static final int CALLS = 320_000;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final AtomicLong time = new AtomicLong();
  private final ThreadLocal<Long> callBegan = ThreadLocal.withInitial(() -> 0L);
  private final AtomicInteger evictions = new AtomicInteger();
  private final AtomicInteger worstError = new AtomicInteger();
  private KeyUses[] uses = {};

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  @Test
  void aSmallMapEvictsWithinEightPlaces() throws Exception {
    assertErrorAtMost(8, map(builder().maximumEntries(100), 100), 100, 8);
  }

  @ParameterizedTest(name = "{0} threads")
  @ValueSource(ints = {2, 8, 32})
  void aMapEvictsWithinOnePercent(int callers) throws Exception {
    assertErrorAtMost(64, map(builder().maximumEntries(6_400), 6_400), 6_400, callers);
  }

  @ParameterizedTest(name = "{0} threads")
  @ValueSource(ints = {2, 8, 32})
  void aWeighedMapEvictsWithinOnePercentOfItsEntries(int callers) throws Exception {
    PensieveBuilder<Integer, Integer> weighed = builder().maximumWeight(64_000, (key, value) -> 10);
    assertErrorAtMost(64, map(weighed, 6_400), 6_400, callers);
  }

  /** What was tolerated among many light entries is not tolerated among a few heavy ones. */
  @Test
  void aWeighedMapThatHasBecomeSmallEvictsInOrder() throws Exception {
    List<Integer> evicted = new ArrayList<>();
    int light = 12_800;
    Pensieve<Integer, Integer> map =
        builder()
            .maximumWeight(light, (key, value) -> value)
            .removalListener((key, value, cause) -> evicted.add(key))
            .open();
    threads.submit(() -> map.put(0, 1)).get();
    for (int key = 1; key < light; key++) {
      map.put(key, 1);
    }
    List<Integer> heavy = IntStream.range(light, light + 10).boxed().toList();
    for (int pass = 0; pass < 2; pass++) { // in the first one of them may go, by 1 % of many
      heavy.forEach(key -> map.put(key, light / 10));
    }
    assertEquals(Set.copyOf(heavy), map.keySet());
    List<Integer> order = new ArrayList<>(heavy);
    Collections.shuffle(order, Seed.random(ConcurrentLruOrderTest.class));
    order.forEach(map::get);
    evicted.clear();
    heavy.forEach(key -> map.put(key + 10, light / 10));
    assertEquals(order, evicted);
  }

  private static PensieveBuilder<Integer, Integer> builder() {
    return Pensieve.builder();
  }

  private Pensieve<Integer, Integer> map(PensieveBuilder<Integer, Integer> builder, int bound) {
    uses = new KeyUses[2 * bound];
    for (int key = 0; key < uses.length; key++) {
      uses[key] = new KeyUses();
    }
    return builder.log(new EvictionRecordingLog()).open();
  }

  private void assertErrorAtMost(int error, Pensieve<Integer, Integer> map, int bound, int callers)
      throws Exception {
    Random seeds = Seed.random(ConcurrentLruOrderTest.class);
    List<Future<?>> running = new ArrayList<>();
    for (int i = 0; i < callers; i++) {
      Random random = new Random(seeds.nextLong());
      running.add(threads.submit(() -> work(map, random, bound, CALLS / callers)));
    }
    for (Future<?> one : running) {
      one.get();
    }
    assertTrue(evictions.get() > 4 * bound, "evictions: " + evictions);
    assertEquals(bound, map.size());
    // Each of the others may have taken out a colder entry that it has not evicted yet.
    assertTrue(worstError.get() <= error + callers, "at worst out of place by " + worstError);
  }

  // New keys, keys at random, and keys used a little earlier, which is where a coarse clock errs.
  private void work(Pensieve<Integer, Integer> map, Random random, int bound, int calls) {
    int[] recent = new int[Math.max(8, bound / 16)];
    for (int i = 0; i < calls; i++) {
      int what = random.nextInt(4);
      int key = what < 2 ? random.nextInt(uses.length) : recent[random.nextInt(recent.length)];
      recent[random.nextInt(recent.length)] = key;
      long began = time.incrementAndGet();
      callBegan.set(began);
      uses[key].begin(began);
      if (what == 0) {
        map.put(key, key);
      } else {
        map.get(key);
      }
      uses[key].end(time.incrementAndGet());
    }
  }

  private void checkEvictionOf(int victim) {
    long lastUse = uses[victim].beginOfLastUseBefore(callBegan.get());
    if (evictions.incrementAndGet() % 8 != 0 || lastUse == 0) {
      return;
    }
    int colder = 0;
    for (KeyUses other : uses) {
      if (other.isColderThan(lastUse)) {
        colder++;
      }
    }
    worstError.accumulateAndGet(colder, Math::max);
  }

  /** What is known for certain about the uses of a key. */
  private static final class KeyUses {
    private boolean present;
    private int running;
    private long groupBegan; // of uses that overlap
    private long lastBegan;
    private long lastEnded;

    synchronized void begin(long now) {
      if (running++ == 0) {
        groupBegan = now;
      }
    }

    synchronized void end(long now) {
      if (--running == 0) {
        lastBegan = groupBegan;
        lastEnded = now;
      }
    }

    synchronized void present(boolean isPresent) {
      present = isPresent;
    }

    /** Zero if not known: it ended after the call that evicts had begun. */
    synchronized long beginOfLastUseBefore(long call) {
      return lastEnded < call ? lastBegan : 0;
    }

    synchronized boolean isColderThan(long use) {
      return present && running == 0 && lastEnded < use;
    }
  }

  /** A log that keeps nothing, and is told of every eviction before it happens. */
  private final class EvictionRecordingLog implements Log<Integer, Integer> {
    private final AtomicLong sequence = new AtomicLong();

    @Override
    public long append(Change<Integer, Integer> change) {
      boolean removal = change instanceof Change.Remove<Integer, Integer>;
      if (removal) {
        checkEvictionOf(change.key());
      }
      uses[change.key()].present(!removal);
      return sequence.incrementAndGet();
    }

    @Override
    public RecoveryReport replay(ReplayHandler<Integer, Integer> handler) {
      return RecoveryReport.empty();
    }

    @Override
    public void close() {}
  }
}
