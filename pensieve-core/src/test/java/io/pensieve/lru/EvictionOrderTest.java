package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** Victims and their slots, also if the order is rebuilt beside a thread that removes a node. */
class EvictionOrderTest {
  private final Capacity<String, String> capacity =
      new Capacity<>(10, Capacity.UNWEIGHTED, (key, value) -> 1);
  private final NodeTable<String, String> table = new NodeTable<>(10);
  private final EvictionOrder<String, String> order =
      new EvictionOrder<>(capacity, table, new RecencyClock(capacity.lruErrorMax(0), 10));
  private final Node<String, String> leaving = add("leaving");

  private Node<String, String> add(String key) {
    Node<String, String> node = new Node<>(key);
    node.value = "a value";
    assertEquals(null, table.putIfAbsent(node));
    order.add(node);
    return node;
  }

  private void rebuild() {
    order.damaged = true;
    assertEquals(0, order.size());
  }

  private void assertEachNodeHasItsOwnSlot() {
    assertNotEquals(add("a").slot(), add("b").slot());
    order.damaged = true;
    assertEquals(2, order.size());
  }

  /** Whoever evicts need not look again, unless others left an overflow. */
  @Test
  void aVictimIsEnoughOnlyIfNoMoreAreTooMany() {
    for (int i = 1; i < 10; i++) {
      add("key " + i);
    }
    assertTrue(isEnough("fits after one eviction"));
    add("left by an error");
    assertFalse(isEnough("fits after two evictions"));
  }

  @Test
  void theSlotOfADeadVictimIsGivenOnce() {
    for (int i = 1; i < 10; i++) {
      add("key " + i);
    }
    assertTrue(isEnough("the next"));
    table.remove(leaving);
    int slot = leaving.slot();
    assertEquals(slot, add("its successor").slot());
    order.remove(leaving); // by a thread that comes late
    assertNotEquals(slot, add("another").slot());
  }

  private boolean isEnough(String key) {
    Node<String, String> node = new Node<>(key);
    node.value = "a value";
    assertEquals(null, table.putIfAbsent(node));
    var victim = order.addAndPollOverflow(node);
    assertNotNull(victim);
    assertFalse(victim.ended(), "not before it is dead");
    victim.node.die();
    return victim.ended();
  }

  @Test
  void theSlotOfADeadNodeIsFreedOnce() {
    leaving.value = null;
    leaving.die();
    rebuild();
    order.remove(leaving);
    assertEachNodeHasItsOwnSlot();
  }

  @Test
  void theSlotOfADyingNodeIsFreedOnce() {
    leaving.value = null;
    rebuild();
    leaving.die();
    table.remove(leaving);
    order.remove(leaving);
    assertEachNodeHasItsOwnSlot();
  }

  /** So that threads which use a large weighed table do not all write one place at each use. */
  @Test
  void inAWeighedTableTheMoreEntriesTheFewerUsesMoveTheClock() throws Exception {
    assertEquals(100, epochsOfAHundredUses(100));
    long epochs = epochsOfAHundredUses(12_800);
    assertTrue(epochs < 20, "epochs: " + epochs);
    assertTrue(epochs >= 4, "each of four stripes may count 32 uses in one: " + epochs);
  }

  private static long epochsOfAHundredUses(int size) throws Exception {
    Capacity<Integer, String> weighed = new Capacity<>(100_000, 100_000, (key, value) -> 1);
    RecencyClock clock = new RecencyClock(weighed.lruErrorMax(0), false, 2, Integer.SIZE, 64);
    EvictionOrder<Integer, String> order =
        new EvictionOrder<>(weighed, new NodeTable<>(100_000), clock);
    ExecutorService other = Executors.newSingleThreadExecutor();
    try {
      List<Node<Integer, String>> nodes = new ArrayList<>();
      for (int key = 0; key < size; key++) {
        nodes.add(new Node<>(key));
        nodes.get(key).value = "a value";
      }
      other.submit(() -> nodes.forEach(clock::record)).get();
      nodes.forEach(order::add);
      clock.record(nodes.get(size - 1), clock.epoch()); // by a second living thread
      long before = clock.epoch();
      nodes.subList(0, 100).forEach(node -> clock.record(node, clock.epoch()));
      return (clock.epoch() - before) / 2;
    } finally {
      other.shutdown();
    }
  }
}
