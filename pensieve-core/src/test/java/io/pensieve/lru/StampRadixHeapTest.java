package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.pensieve.Seed;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A wheel gives out what sorting by stamps would, whatever was used or removed meanwhile. */
class StampRadixHeapTest {
  private final Random random = Seed.random(StampRadixHeapTest.class);
  private final StampRadixHeap<Integer, Integer> wheel = new StampRadixHeap<>(7);
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
      wheel.remove(model.remove(random.nextInt(model.size())));
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
        wheel.remove(model.remove(random.nextInt(model.size())));
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

  @Test
  void aNodeThatIsGivenBackIsStillTheColdest() {
    addMany(200);
    for (int i = 0; i < 100; i++) {
      Node<Integer, Integer> coldest = wheel.removeColdest();
      assertNotNull(coldest);
      wheel.add(coldest);
      takeColdest();
    }
  }

  @AfterEach
  void theRestComesInOrder() {
    while (!model.isEmpty()) {
      takeColdest();
    }
    assertNull(wheel.removeColdest());
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
    node.stamp(stamp);
    wheel.add(node);
    model.add(node);
  }

  private void use(Node<Integer, Integer> node) {
    node.stamp(++now);
  }

  private Node<Integer, Integer> anyone() {
    return model.get(random.nextInt(model.size()));
  }

  private void takeColdest() {
    var expected = model.stream().min(Comparator.comparingLong(Node::stamp)).orElseThrow();
    Node<Integer, Integer> coldest = wheel.removeColdest();
    assertNotNull(coldest);
    assertEquals(expected.stamp(), coldest.stamp());
    assertSame(expected, coldest);
    model.remove(expected);
  }
}
