package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Seed;
import io.pensieve.log.file.Depth;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When the clock is exact, and that it never goes backwards. */
@Tag(Depth.TAG)
class RecencyClockTest {
  private static final int USES = 10_000;
  private static final int THREADS = 8;
  private static final int TURNS_BEFORE_LOOK = Depth.of(200, 50, 10);
  private final RecencyClock clock = new RecencyClock(1_000);
  private final List<Node<Integer, Integer>> used = new ArrayList<>();

  @Test
  void aSoleThreadGetsAStampForEachUse() {
    clock.startAfter(100);
    useMany();
    assertStampsFrom(101);
  }

  @Test
  void whoOpensATableIsNotItsFirstUser() throws Exception {
    clock.startAfter(100); // here
    inAThreadOfItsOwn(this::useMany);
    assertStampsFrom(101);
  }

  @Test
  void aThreadThatFindsTheSoleOneEndedTakesItsPlace() throws Exception {
    inAThreadOfItsOwn(this::useMany);
    inAThreadOfItsOwn(this::useMany);
    useMany();
    assertStampsFrom(1);
  }

  @Test
  void aSecondLivingThreadMakesTheClockSharedForGood() throws Exception {
    useMany();
    inAThreadOfItsOwn(this::useMany);
    useMany();
    List<Long> stamps = stamps();
    assertEquals(USES, stamps.get(USES - 1), "those of the sole thread are exact");
    assertTrue(stamps.get(USES) > 1L << 61, "the others are above all of a sole thread");
    assertEquals(stamps.stream().sorted().toList(), stamps, "in the order of the uses");
    long distinct = stamps.stream().distinct().count();
    assertTrue(distinct > USES && distinct < 3 * USES, "and coarse: " + distinct);
  }

  @Test
  void aSharedClockLeavesWhatWasJustUsedAlone() throws Exception {
    inTwoThreads();
    Node<Integer, Integer> hot = new Node<>(0);
    clock.stamp(hot);
    long first = hot.stamp();
    clock.stamp(hot);
    assertEquals(first, hot.stamp());
    useMany();
    clock.stamp(hot);
    assertTrue(hot.stamp() > first, "but not when others were used meanwhile");
  }

  @Test
  void aSmallTableKeepsTheExactOrderUnderManyThreads() throws Exception {
    RecencyClock exact = new RecencyClock(0);
    exact.stamp(new Node<>(0));
    inAThreadOfItsOwn(() -> exact.stamp(new Node<>(0)));
    Node<Integer, Integer> a = new Node<>(1);
    Node<Integer, Integer> b = new Node<>(2);
    for (int i = 0; i < 100; i++) {
      exact.stamp(a);
      exact.stamp(b);
      assertTrue(a.stamp() < b.stamp());
    }
  }

  @Test
  void aClockThatMayErrNoLongerKeepsTheExactOrderFromThenOn() throws Exception {
    inTwoThreads();
    useMany();
    clock.tolerate(0);
    Node<Integer, Integer> a = new Node<>(1);
    Node<Integer, Integer> b = new Node<>(2);
    for (int i = 0; i < 100; i++) {
      clock.stamp(a);
      clock.stamp(b);
      assertTrue(a.stamp() < b.stamp());
    }
  }

  @Test
  void whereProcessorsAreManyAHotEntryIsNotWrittenAgainAndAgain() throws Exception {
    RecencyClock sparing = new RecencyClock(1_000, 16);
    Node<Integer, Integer> hot = usedByTwoThreads(sparing);
    long first = hot.stamp();
    for (int i = 0; i < USES; i++) {
      sparing.stamp(hot);
    }
    assertEquals(first, hot.stamp());
  }

  @Test
  void whereProcessorsAreFewEveryUseCounts() throws Exception {
    RecencyClock unsparing = new RecencyClock(1_000, 2);
    Node<Integer, Integer> hot = usedByTwoThreads(unsparing);
    long first = hot.stamp();
    for (int i = 0; i < USES; i++) {
      unsparing.stamp(hot);
    }
    assertTrue(hot.stamp() > first + USES / 2, "ticks: " + (hot.stamp() - first));
  }

  @ParameterizedTest(name = "{0} with {1} processors")
  @CsvSource({
    "1000, 1",
    "1000, 2",
    "1000, 4",
    "1000, 5",
    "1000, 16",
    "5000, 64",
    "40, 2",
    "40, 16"
  })
  void noMoreEntriesAreTakenForHotterThanIsTolerated(int lruErrorMax, int processors)
      throws Exception {
    UsesInTurn uses = new UsesInTurn(new RecencyClock(lruErrorMax, processors), 3 * lruErrorMax);
    Random random = Seed.random(RecencyClockTest.class);
    List<ExecutorService> threads = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      threads.add(Executors.newSingleThreadExecutor());
    }
    try {
      for (int turn = 1; turn <= 1_000; turn++) {
        threads.get(random.nextInt(THREADS)).submit(() -> uses.makeSome(random)).get();
        if (turn % TURNS_BEFORE_LOOK == 0) {
          int worst = uses.mostTakenForHotter();
          assertTrue(worst <= lruErrorMax, "at worst out of place by " + worst);
        }
      }
    } finally {
      threads.forEach(ExecutorService::shutdownNow);
    }
  }

  /** Uses by several threads, one after another, so that it is known which was the last of each. */
  private static final class UsesInTurn {
    private final RecencyClock clock;
    private final List<Node<Integer, Integer>> nodes = new ArrayList<>();
    private final int[] lastUses;
    private int time;

    UsesInTurn(RecencyClock clock, int entries) {
      this.clock = clock;
      this.lastUses = new int[entries];
      for (int i = 0; i < entries; i++) {
        nodes.add(new Node<>(i));
      }
    }

    // Some entries again and again, others seldom.
    void makeSome(Random random) {
      for (int i = random.nextInt(100); i >= 0; i--) {
        int used = random.nextInt(1 + random.nextInt(nodes.size()));
        clock.stamp(nodes.get(used));
        lastUses[used] = ++time;
      }
    }

    /** Of those that were used before one was used last: how many have no older stamp. */
    int mostTakenForHotter() {
      List<Integer> byLastUse =
          new ArrayList<>(IntStream.range(0, lastUses.length).boxed().toList());
      byLastUse.sort(Comparator.comparingInt(i -> lastUses[i]));
      long[] stamps = nodes.stream().mapToLong(Node::stamp).sorted().distinct().toArray();
      CountsByRank stampsBefore = new CountsByRank(stamps.length);
      int most = 0;
      for (int from = 0; from < byLastUse.size(); ) {
        int end = from;
        // Those that were used at the same time, as those never used, are compared with earlier
        // ones.
        while (end < byLastUse.size()
            && lastUses[byLastUse.get(end)] == lastUses[byLastUse.get(from)]) {
          most = Math.max(most, stampsBefore.from(rank(stamps, byLastUse.get(end++))));
        }
        while (from < end) {
          stampsBefore.add(rank(stamps, byLastUse.get(from++)));
        }
      }
      return most;
    }

    private int rank(long[] stamps, int index) {
      return Arrays.binarySearch(stamps, nodes.get(index).stamp());
    }
  }

  /** How many there are of each rank; a Fenwick tree. */
  private static final class CountsByRank {
    private final int[] sums;

    CountsByRank(int ranks) {
      this.sums = new int[ranks + 1];
    }

    void add(int rank) {
      for (int i = sums.length - 1 - rank; i < sums.length; i += i & -i) {
        sums[i]++;
      }
    }

    /** Of this rank, or a higher one. */
    int from(int rank) {
      int sum = 0;
      for (int i = sums.length - 1 - rank; i > 0; i -= i & -i) {
        sum += sums[i];
      }
      return sum;
    }
  }

  private static Node<Integer, Integer> usedByTwoThreads(RecencyClock clock) throws Exception {
    Node<Integer, Integer> node = new Node<>(0);
    clock.stamp(node);
    inAThreadOfItsOwn(() -> clock.stamp(node));
    return node;
  }

  private void inTwoThreads() throws InterruptedException {
    clock.stamp(new Node<>(0));
    inAThreadOfItsOwn(() -> clock.stamp(new Node<>(0)));
  }

  private void useMany() {
    for (int i = 0; i < USES; i++) {
      Node<Integer, Integer> node = new Node<>(i);
      clock.stamp(node);
      used.add(node);
    }
  }

  private List<Long> stamps() {
    return used.stream().map(Node::stamp).toList();
  }

  private void assertStampsFrom(long first) {
    for (int i = 0; i < used.size(); i++) {
      assertEquals(first + i, used.get(i).stamp());
    }
  }

  private static void inAThreadOfItsOwn(Runnable work) throws InterruptedException {
    Thread thread = new Thread(work);
    thread.start();
    thread.join();
  }
}
