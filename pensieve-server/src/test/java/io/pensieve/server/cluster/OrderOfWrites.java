package io.pensieve.server.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;

/** Compares what several nodes have delivered: there is one order of all writes. */
final class OrderOfWrites {
  /** In place of a node's name: the stretch comes from several of them. */
  static final String VARIOUS = "several nodes";

  private OrderOfWrites() {}

  /** A change as a node delivers it: its version, and what it is. */
  record Delivered(long version, String change) {}

  /** Changes that a node has delivered one after another, without a gap. */
  record Stretch(String node, List<Delivered> changes) {}

  /**
   * Fails unless there is one sequence of changes of which each stretch is a part.
   *
   * @return how many changes several nodes have delivered
   */
  static int assertOne(List<Stretch> stretches) {
    NavigableMap<Long, String> all = new TreeMap<>();
    Map<Long, Set<String>> nodes = new HashMap<>();
    for (Stretch stretch : stretches) {
      for (Delivered each : stretch.changes()) {
        all.putIfAbsent(each.version(), each.change());
        if (!stretch.node().equals(VARIOUS)) {
          nodes.computeIfAbsent(each.version(), version -> new HashSet<>()).add(stretch.node());
        }
      }
    }
    stretches.forEach(stretch -> assertPart(stretch, all));
    return (int) nodes.values().stream().filter(names -> names.size() > 1).count();
  }

  private static void assertPart(Stretch stretch, NavigableMap<Long, String> all) {
    List<Delivered> changes = stretch.changes();
    if (changes.isEmpty()) {
      return;
    }
    long from = changes.get(0).version();
    long to = changes.get(changes.size() - 1).version();
    assertTrue(from <= to, stretch.node() + " goes back from " + from + " to " + to);
    List<Delivered> expected = new ArrayList<>();
    all.subMap(from, true, to, true)
        .forEach((version, change) -> expected.add(new Delivered(version, change)));
    assertEquals(expected, changes, "the order of writes, by " + stretch.node());
  }
}
