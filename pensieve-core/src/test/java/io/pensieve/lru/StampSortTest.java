package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nodes by their stamps, against the sort of the library. */
class StampSortTest {
  private static final long EPOCH = 1L << 62; // stamps of shared clocks begin here

  private record Stamped(long stamp, Node<String, String> node) {}

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 15, 16, 17, 255, 257, 5000})
  void nodesAreInTheOrderOfTheirStampsAndElseOfTheirAddition(int count) {
    Random random = Seed.random(StampSortTest.class);
    long[][] ranges = {{0, 1}, {7, 300}, {0, 1 << 20}, {EPOCH - 500, 1000}, {Long.MIN_VALUE, 0}};
    for (long[] range : ranges) {
      StampSort<String, String> sort = new StampSort<>(count / 2);
      List<Stamped> expected = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        long offset = range[1] == 0 ? random.nextLong() : random.nextInt((int) range[1]);
        long stamp = random.nextInt(4) == 0 ? EPOCH + random.nextInt(3) : range[0] + offset;
        Node<String, String> node = new Node<>("key " + i);
        sort.add(node, stamp);
        expected.add(new Stamped(stamp, node));
      }
      expected.sort(Comparator.comparingLong(Stamped::stamp));
      assertEquals(expected.stream().map(Stamped::node).toList(), sort.ascending());
    }
  }
}
