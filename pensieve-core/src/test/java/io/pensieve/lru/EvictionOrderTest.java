package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Test;

/** A rebuild of the order beside a thread that is removing a node. */
class EvictionOrderTest {
  private final Capacity<String, String> capacity =
      new Capacity<>(10, Capacity.UNWEIGHTED, (key, value) -> 1);
  private final NodeTable<String, String> table = new NodeTable<>(10);
  private final EvictionOrder<String, String> order =
      new EvictionOrder<>(capacity, table, new RecencyClock(capacity.lruErrorMax(), 10));
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
}
