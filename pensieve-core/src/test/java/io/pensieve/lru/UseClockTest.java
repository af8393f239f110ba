package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When the clock is exact, and that it never goes backwards. */
class UseClockTest {
  private static final int USES = 10_000;
  private final UseClock clock = new UseClock(1_000);
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
    UseClock exact = new UseClock(0);
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
