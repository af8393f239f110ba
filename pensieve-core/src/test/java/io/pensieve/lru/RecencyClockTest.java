package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
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
  private final Entries entries = new Entries(new RecencyClock(1_000, 10_000));
  private final RecencyClock clock = entries.clock;
  private final List<Node<Integer, Integer>> used = new ArrayList<>();

  /** Nodes with slots of their own, as the eviction order gives them. */
  private static final class Entries {
    final RecencyClock clock;
    private int slotsEnd = RecencyClock.FIRST_SLOT;

    Entries(RecencyClock clock) {
      this.clock = clock;
    }

    Node<Integer, Integer> add(int key) {
      Node<Integer, Integer> node = new Node<>(key);
      int slot = slotsEnd++;
      int chunk = RecencyClock.chunk(slot);
      if (RecencyClock.place(slot, chunk) == 0) {
        clock.addChunk(chunk, slot);
      }
      node.slot(slot);
      return node;
    }

    void use(Node<Integer, Integer> node) {
      clock.record(node, clock.epoch());
    }

    long stamp(Node<Integer, Integer> node) {
      return clock.stampOf(node);
    }
  }

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
  void aSharedClockTicksSeldom() throws Exception {
    inTwoThreads();
    Node<Integer, Integer> hot = entries.add(0);
    entries.use(hot);
    long first = entries.stamp(hot);
    entries.use(hot);
    assertEquals(first, entries.stamp(hot));
    useMany();
    entries.use(hot);
    assertTrue(entries.stamp(hot) > first, "but not when others were used meanwhile");
  }

  @Test
  void aSmallTableKeepsTheExactOrderUnderManyThreads() throws Exception {
    Entries exact = new Entries(new RecencyClock(0, 10));
    Node<Integer, Integer> a = usedByTwoThreads(exact);
    Node<Integer, Integer> b = exact.add(2);
    for (int i = 0; i < 100; i++) {
      exact.use(a);
      exact.use(b);
      assertTrue(exact.stamp(a) < exact.stamp(b));
    }
  }

  @Test
  void aClockThatMayErrNoLongerKeepsTheExactOrderFromThenOn() throws Exception {
    inTwoThreads();
    useMany();
    clock.tolerate(0);
    Node<Integer, Integer> a = entries.add(1);
    Node<Integer, Integer> b = entries.add(2);
    for (int i = 0; i < 100; i++) {
      entries.use(a);
      entries.use(b);
      assertTrue(entries.stamp(a) < entries.stamp(b));
    }
  }

  @Test
  void aClockThatMayErrNoLongerTellsApartWhatWasUsedInOneEpoch() throws Exception {
    inTwoThreads();
    Node<Integer, Integer> a = entries.add(1);
    Node<Integer, Integer> b = entries.add(2);
    entries.use(a);
    entries.use(b);
    assertEquals(entries.stamp(a), entries.stamp(b));
    clock.tolerate(0);
    entries.use(b);
    entries.use(a);
    assertTrue(entries.stamp(b) < entries.stamp(a));
  }

  @Test
  void whereEveryUseCountsAHotEntryIsNotWrittenAgainAndAgain() throws Exception {
    Entries small = new Entries(new RecencyClock(7, 1_000));
    Node<Integer, Integer> hot = usedByTwoThreads(small);
    small.use(hot);
    long first = small.stamp(hot);
    for (int i = 0; i < USES; i++) {
      small.use(hot);
    }
    assertEquals(first, small.stamp(hot));
  }

  /** Its uses overlap its first put, and that counts. */
  @Test
  void aNodeWithoutASlotKeepsTheStampOfItsPut() throws Exception {
    Node<Integer, Integer> fresh = new Node<>(1);
    clock.record(fresh);
    assertEquals(1, clock.stampOf(fresh));
    useMany();
    entries.use(fresh);
    assertEquals(1, clock.stampOf(fresh));
    inTwoThreads();
    Node<Integer, Integer> other = new Node<>(2);
    clock.record(other);
    assertEquals(clock.epoch(), clock.stampOf(other));
  }

  @Test
  void firstPutsMoveTheSharedClockOn() throws Exception {
    inTwoThreads();
    long before = clock.epoch();
    for (int i = 0; i < USES; i++) {
      clock.record(new Node<>(i));
    }
    assertTrue(clock.epoch() > before + 10, "all entries that are put would have the same stamp");
  }

  @Test
  void aSlotsNextEntryIsNotColderThanALateReaderOfTheLastOne() throws Exception {
    inTwoThreads();
    Node<Integer, Integer> dead = entries.add(1);
    long lateReadersEpoch = clock.epoch();
    useMany();
    Node<Integer, Integer> next = new Node<>(2);
    next.slot(dead.slot());
    clock.assign(next.slot(), 5);
    long put = clock.stampOf(next);
    assertTrue(put >= lateReadersEpoch, "as late as the present epoch");
    clock.record(dead, lateReadersEpoch);
    assertEquals(put, clock.stampOf(next));
  }

  @ParameterizedTest(name = "{0} with {1} processors, lanes: {2}, marks of {3} bits")
  @CsvSource({
    "1000, 1, true, 32",
    "1000, 2, true, 32",
    "1000, 2, false, 32",
    "1000, 4, true, 32",
    "1000, 16, true, 32",
    "1000, 16, false, 32",
    "5000, 64, true, 32",
    "40, 2, true, 32",
    "40, 2, true, 8",
    "40, 16, true, 32"
  })
  void noMoreEntriesAreTakenForHotterThanIsTolerated(
      int lruErrorMax, int processors, boolean lanes, int markBits) throws Exception {
    RecencyClock tested = new RecencyClock(lruErrorMax, lanes, processors, markBits, 1);
    assertTolerated(lruErrorMax, new UsesInTurn(tested, 3 * lruErrorMax), 100);
  }

  /** The marks have 7 bits, and so begin anew after 64 epochs. */
  @Test
  void theOrderHoldsThoughMarksBeginAnewThousandsOfTimes() throws Exception {
    RecencyClock tested = new RecencyClock(16, true, 2, 7, 1);
    UsesInTurn uses = new UsesInTurn(tested, 48);
    assertTolerated(16, uses, 3_000);
    long wraps = (tested.epoch() - (1L << 62)) >> 7;
    assertTrue(wraps > 2_000, "only " + wraps);
  }

  private static void assertTolerated(int lruErrorMax, UsesInTurn uses, int usesInATurnMax)
      throws Exception {
    Random random = Seed.random(RecencyClockTest.class);
    List<ExecutorService> threads = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      threads.add(Executors.newSingleThreadExecutor());
    }
    try {
      for (int turn = 1; turn <= 1_000; turn++) {
        threads
            .get(random.nextInt(THREADS))
            .submit(() -> uses.makeSome(random, usesInATurnMax))
            .get();
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
    private final Entries entries;
    private final List<Node<Integer, Integer>> nodes = new ArrayList<>();
    private final int[] lastUses;
    private int time;

    UsesInTurn(RecencyClock clock, int count) {
      this.entries = new Entries(clock);
      this.lastUses = new int[count];
      for (int i = 0; i < count; i++) {
        nodes.add(entries.add(i));
      }
    }

    // Some entries again and again, others seldom.
    void makeSome(Random random, int max) {
      for (int i = random.nextInt(max); i >= 0; i--) {
        int used = random.nextInt(1 + random.nextInt(nodes.size()));
        entries.use(nodes.get(used));
        lastUses[used] = ++time;
      }
    }

    /** Of those that were used before one was used last: how many have no older stamp. */
    int mostTakenForHotter() {
      List<Integer> byLastUse =
          new ArrayList<>(IntStream.range(0, lastUses.length).boxed().toList());
      byLastUse.sort(Comparator.comparingInt(i -> lastUses[i]));
      long[] stamps = nodes.stream().mapToLong(entries::stamp).sorted().distinct().toArray();
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
      return Arrays.binarySearch(stamps, entries.stamp(nodes.get(index)));
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

  private static Node<Integer, Integer> usedByTwoThreads(Entries entries) throws Exception {
    Node<Integer, Integer> node = entries.add(0);
    entries.use(node);
    inAThreadOfItsOwn(() -> entries.use(node));
    return node;
  }

  private void inTwoThreads() throws Exception {
    usedByTwoThreads(entries);
  }

  private void useMany() {
    for (int i = 0; i < USES; i++) {
      Node<Integer, Integer> node = entries.add(i);
      entries.use(node);
      used.add(node);
    }
  }

  private List<Long> stamps() {
    return used.stream().map(clock::stampOf).toList();
  }

  private void assertStampsFrom(long first) {
    for (int i = 0; i < used.size(); i++) {
      assertEquals(first + i, clock.stampOf(used.get(i)));
    }
  }

  private static void inAThreadOfItsOwn(Runnable work) throws InterruptedException {
    Thread thread = new Thread(work);
    thread.start();
    thread.join();
  }
}
