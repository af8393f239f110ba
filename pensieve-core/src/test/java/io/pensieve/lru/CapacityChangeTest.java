package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** What a larger bound means to the hash table. */
class CapacityChangeTest {
  @Test
  void theHashTableGrowsWithItsEntriesAsFarAsItMayByThen() {
    NodeTable<Integer, Integer> table = new NodeTable<>(10);
    fill(table, 0, 100);
    int bins = table.bins();
    assertTrue(bins <= 32);
    table.maximumNodes(Long.MAX_VALUE);
    assertEquals(bins, table.bins(), "not before it has to");
    fill(table, 100, 10_000);
    assertTrue(table.bins() >= 10_000);
    for (int i = 0; i < 10_000; i++) {
      assertNotNull(table.get(i));
    }
  }

  private static void fill(NodeTable<Integer, Integer> table, int from, int to) {
    for (int i = from; i < to; i++) {
      table.growFor(i + 1L);
      table.putIfAbsent(new Node<>(i));
    }
  }
}
