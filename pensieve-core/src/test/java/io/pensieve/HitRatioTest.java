package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Depth;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Asked by 8 threads, the map has as many hits as an exact LRU map that is asked for the same keys
 * in the same order: within a tenth of a point.
 *
 * <p>The threads take the keys of one sequence in turn, so that the order is the same but for what
 * is under way at the same time. The sequences are the same in every run; only the scheduler
 * differs.
 */
@Timeout(120)
@Tag(Depth.TAG)
class HitRatioTest {
  private static final int THREADS = 8;
  private static final int ENTRIES_MAX = 10_000;
  private static final int REQUESTS = Depth.of(200_000, 400_000, 10_000_000);
  private static final double POINTS_MAX = 0.1;
  private static final double SKEW = 0.9;
  private static final long SEED = 44;

  @Test
  void keysOfWhichSomeArePopular() throws Exception {
    assertHitsLikeAnExactOrder(zipf());
  }

  @Test
  void aLoopOverTwiceAsManyKeysAsFit() throws Exception {
    assertHitsLikeAnExactOrder(i -> i % (2 * ENTRIES_MAX));
  }

  @Test
  void aLoopOverSlightlyFewerKeysThanFit() throws Exception {
    assertHitsLikeAnExactOrder(i -> i % (ENTRIES_MAX - ENTRIES_MAX / 100));
  }

  @Test
  void aLoopAmongPopularKeys() throws Exception {
    IntUnaryOperator popular = zipf();
    Random random = new Random(SEED);
    AtomicInteger loop = new AtomicInteger();
    assertHitsLikeAnExactOrder(
        i ->
            random.nextBoolean()
                ? popular.applyAsInt(i)
                : -1 - loop.getAndIncrement() % (2 * ENTRIES_MAX));
  }

  // The n-th most popular of ten times as many keys as fit has a weight of 1 / n^0.9.
  private static IntUnaryOperator zipf() {
    double[] cumulated = new double[10 * ENTRIES_MAX];
    double sum = 0;
    for (int i = 0; i < cumulated.length; i++) {
      sum += 1 / Math.pow(i + 1, SKEW);
      cumulated[i] = sum;
    }
    double total = sum;
    Random random = new Random(SEED);
    return i -> {
      int rank = Arrays.binarySearch(cumulated, random.nextDouble() * total);
      return rank < 0 ? -rank - 1 : rank;
    };
  }

  private static void assertHitsLikeAnExactOrder(IntUnaryOperator keys) throws Exception {
    Integer[] sequence = new Integer[REQUESTS];
    Arrays.setAll(sequence, keys::applyAsInt);
    double exact = percent(hits(new ExactLru(), sequence, new AtomicInteger()));
    double ours = percent(hitsOfThreads(sequence));
    assertTrue(
        Math.abs(ours - exact) <= POINTS_MAX,
        () -> "hits of 100: " + ours + ", in an exact order " + exact);
  }

  private static double percent(long hits) {
    return 100.0 * hits / REQUESTS;
  }

  private static long hitsOfThreads(Integer[] sequence) throws Exception {
    AtomicInteger next = new AtomicInteger();
    AtomicLong hits = new AtomicLong();
    try (Pensieve<Integer, Integer> map =
        Pensieve.<Integer, Integer>builder().maximumEntries(ENTRIES_MAX).open()) {
      ParallelRun.run(
          THREADS, HitRatioTest.class, random -> hits.addAndGet(hits(map, sequence, next)));
    }
    return hits.get();
  }

  private static long hits(Map<Integer, Integer> map, Integer[] sequence, AtomicInteger next) {
    long hits = 0;
    for (int i; (i = next.getAndIncrement()) < sequence.length; ) {
      Integer key = sequence[i];
      if (map.get(key) != null) {
        hits++;
      } else {
        map.put(key, key);
      }
    }
    return hits;
  }

  private static final class ExactLru extends LinkedHashMap<Integer, Integer> {
    private static final long serialVersionUID = 1L;

    ExactLru() {
      super(16, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<Integer, Integer> eldest) {
      return size() > ENTRIES_MAX;
    }
  }
}
