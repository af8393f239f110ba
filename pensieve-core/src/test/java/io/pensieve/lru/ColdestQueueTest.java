package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Seed;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The queue gives out what sorting by stamps would, whatever was used or removed meanwhile. */
class ColdestQueueTest {
  private final Random random = Seed.random(ColdestQueueTest.class);
  private final RecencyClock clock = new RecencyClock(0, 1_000_000);
  private final Slots<Integer, Integer> slots = new Slots<>(clock, 5_000);
  private final ColdestQueue<Integer, Integer> queue = new ColdestQueue<>(clock, slots);
  private final ArrayDeque<Integer> freeSlots = new ArrayDeque<>();
  private final List<Node<Integer, Integer>> model = new ArrayList<>();
  private long now;
  private int keys;

  @Test
  void nodesThatWereNeverUsedComeInTheOrderOfTheirStamps() {
    for (int i = 0; i < 3_000; i++) {
      addAt(random.nextLong() & Long.MAX_VALUE);
    }
  }

  @Test
  void additionsComeBetweenRemovals() {
    for (int i = 0; i < 100_000; i++) {
      if (model.size() < 300 || random.nextBoolean()) {
        add();
      } else {
        takeColdest();
      }
    }
  }

  @Test
  void almostEveryNodeIsUsedBetweenTwoRemovals() {
    addMany(300);
    for (int i = 0; i < 300; i++) {
      model.stream().filter(node -> random.nextInt(20) > 0).forEach(this::use);
      takeColdest();
      add();
    }
  }

  @Test
  void mostNodesAreRemovedBeforeTheyBecomeCold() {
    addMany(300);
    for (int i = 0; i < 30_000; i++) {
      remove(model.remove(random.nextInt(model.size())));
      add();
      if (random.nextInt(20) == 0) {
        takeColdest();
        add();
      }
    }
  }

  @Test
  void everythingHappensAtAnyDistanceInTime() {
    for (int i = 0; i < 30_000; i++) {
      now += 1L << random.nextInt(random.nextInt(1000) == 0 ? 44 : 20);
      int what = random.nextInt(10);
      if (what < 3 || model.size() < 50) {
        add();
      } else if (what < 7) {
        use(anyone());
      } else if (what < 8) {
        remove(model.remove(random.nextInt(model.size())));
      } else {
        takeColdest();
      }
    }
  }

  @Test
  void theStampsOfASharedClockComeAfterThoseOfASoleThread() {
    addMany(100);
    now = 1L << 62;
    addMany(100);
    model.stream().filter(node -> random.nextBoolean()).forEach(this::use);
  }

  @Test
  void aNodeThatComesTooLateCountsAsTheColdest() {
    addMany(200);
    for (int i = 0; i < 100; i++) {
      takeColdest();
    }
    addAt(3);
  }

  /** More than are sorted at once, so that candidates come in batches of batches. */
  @Test
  void manyNodesOfWhichSomeAreUsed() {
    for (int i = 0; i < 40_000; i++) {
      add();
    }
    Collections.shuffle(model, random);
    model.subList(0, 20_000).forEach(this::use);
    model.sort(Comparator.comparingLong(clock::stampOf));
    for (int i = 0; i < 35_000; i++) {
      Node<Integer, Integer> coldest = queue.removeColdest();
      assertNotNull(coldest);
      assertSame(model.get(i), coldest);
      freeSlots.add(coldest.slot());
      if (i % 1000 == 0) {
        slots.own(model.remove(model.size() - 1).slot(), null);
      }
    }
    model.subList(0, 35_000).clear();
    queue.clear();
    model.clear();
  }

  /** A sort by radix has as many passes as these distances need. */
  @Test
  void stampsAreFarApart() {
    for (int i = 0; i < 3_000; i++) {
      addAt(1 + (random.nextLong() >>> (random.nextBoolean() ? 32 : 44)));
    }
  }

  /** Threads that evict at the same time mix up the order in which slots are given out. */
  @Test
  void slotsAreNotInTheOrderOfAge() {
    List<Integer> shuffled = new ArrayList<>();
    for (int i = 0; i < 3_000; i++) {
      shuffled.add(slots.add());
    }
    Collections.shuffle(shuffled, random);
    freeSlots.addAll(shuffled);
    addMany(3_000);
  }

  /** So a put has a bound, whatever was read before. */
  @Test
  void afterAllWereUsedARemovalLooksAtAllStampsAndAtAFewCandidates() {
    int count = 50_000;
    ArrayDeque<Node<Integer, Integer>> byUse = new ArrayDeque<>();
    for (int i = 0; i < count; i++) {
      addTo(byUse);
    }
    for (int round = 0; round < 10; round++) {
      for (int i = random.nextInt(count / 8); i >= 0; i--) {
        takeFirst(byUse);
        addTo(byUse);
      }
      byUse.forEach(this::use);
      long before = queue.steps();
      takeFirst(byUse);
      long steps = queue.steps() - before;
      assertTrue(steps >= count && steps < count * 3 / 2, "steps of one removal: " + steps);
      addTo(byUse);
    }
    queue.clear();
  }

  @Test
  void aRemovalLooksAtFewStampsOnTheAverage() {
    int count = 50_000;
    ArrayDeque<Node<Integer, Integer>> byUse = new ArrayDeque<>();
    for (int i = 0; i < count; i++) {
      addTo(byUse);
    }
    long before = queue.steps();
    for (int i = 0; i < 3 * count; i++) {
      takeFirst(byUse);
      addTo(byUse);
    }
    long steps = (queue.steps() - before) / (3L * count);
    assertTrue(steps > 0 && steps < 30, "steps of a removal: " + steps);
    queue.clear();
  }

  @Test
  void nodesThatAreGivenBackTogetherComeInTheirOrder() {
    addMany(5_000);
    for (int i = 0; i < 300; i++) {
      List<Node<Integer, Integer>> taken = new ArrayList<>();
      for (int k = random.nextInt(30); k >= 0; k--) {
        taken.add(queue.removeColdest());
      }
      Collections.shuffle(taken, random);
      taken.forEach(node -> queue.add(node, clock.stampOf(node)));
      takeColdest();
    }
  }

  @Test
  void aNodeThatIsGivenBackIsStillTheColdest() {
    addMany(200);
    for (int i = 0; i < 100; i++) {
      Node<Integer, Integer> coldest = queue.removeColdest();
      assertNotNull(coldest);
      queue.add(coldest, clock.stampOf(coldest));
      takeColdest();
    }
  }

  @AfterEach
  void theRestComesInOrder() {
    while (!model.isEmpty()) {
      takeColdest();
    }
    assertNull(queue.removeColdest());
  }

  private void addMany(int nodes) {
    for (int i = 0; i < nodes; i++) {
      add();
    }
  }

  private void add() {
    addAt(++now);
  }

  private void addAt(long stamp) {
    Node<Integer, Integer> node = new Node<>(keys++);
    Integer slot = freeSlots.pollFirst();
    node.slot(slot == null ? slots.add() : slot);
    assign(node, stamp);
    queue.add(node, stamp);
    model.add(node);
  }

  private void addTo(ArrayDeque<Node<Integer, Integer>> byUse) {
    add();
    byUse.add(model.remove(0));
  }

  private void takeFirst(ArrayDeque<Node<Integer, Integer>> byUse) {
    Node<Integer, Integer> coldest = queue.removeColdest();
    assertNotNull(coldest);
    assertSame(byUse.pollFirst(), coldest);
    freeSlots.add(coldest.slot());
  }

  private void remove(Node<Integer, Integer> node) {
    assertTrue(slots.has(node));
    slots.own(node.slot(), null);
    assertFalse(slots.has(node));
    freeSlots.add(node.slot());
  }

  private void use(Node<Integer, Integer> node) {
    assign(node, ++now);
  }

  private void assign(Node<Integer, Integer> node, long stamp) {
    clock.startAfter(Math.max(clock.latest(), stamp));
    clock.assign(node.slot(), stamp);
  }

  private Node<Integer, Integer> anyone() {
    return model.get(random.nextInt(model.size()));
  }

  private void takeColdest() {
    var expected = model.stream().min(Comparator.comparingLong(clock::stampOf)).orElseThrow();
    Node<Integer, Integer> coldest = queue.removeColdest();
    assertNotNull(coldest);
    assertEquals(clock.stampOf(expected), clock.stampOf(coldest));
    assertSame(expected, coldest);
    assertEquals(clock.stampOf(coldest), queue.polledStamp());
    model.remove(expected);
    freeSlots.add(coldest.slot());
  }
}
