package io.pensieve.server.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pensieve.server.cluster.OrderOfWrites.Delivered;
import io.pensieve.server.cluster.OrderOfWrites.Stretch;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which streams of changes agree. */
final class OrderOfWritesTest {
  private static final Stretch ALL = stretch("a", 1, 2, 3, 4);

  private static Stretch stretch(String node, long... versions) {
    return new Stretch(
        node,
        LongStream.of(versions)
            .mapToObj(version -> new Delivered(version, "put " + version))
            .toList());
  }

  @Test
  void partsOfOneOrderAgree() {
    assertEquals(4, OrderOfWrites.assertOne(List.of(ALL, stretch("b", 1, 2, 3, 4))));
    assertEquals(3, OrderOfWrites.assertOne(List.of(ALL, stretch("b", 1), stretch("c", 3, 4, 5))));
    assertEquals(0, OrderOfWrites.assertOne(List.of(ALL, stretch("a", 2, 3), stretch("b"))));
  }

  @Test
  void whatComesFromSeveralNodesIsComparedAndNotCounted() {
    assertEquals(0, OrderOfWrites.assertOne(List.of(ALL, stretch(OrderOfWrites.VARIOUS, 2, 3))));
    assertRefused(stretch(OrderOfWrites.VARIOUS, 2, 4));
  }

  @Test
  void aMissingChangeIsFound() {
    assertRefused(stretch("b", 1, 2, 4));
    assertRefused(stretch("b", 3, 6), stretch("c", 4, 5, 6));
  }

  @Test
  void aChangeThatOnlyOneNodeHasIsFound() {
    assertRefused(new Stretch("b", List.of(new Delivered(2, "put 2"), new Delivered(3, "lost"))));
    assertRefused(stretch("b", 0, 1), stretch("c", -1, 1));
  }

  @Test
  void anotherOrderIsFound() {
    assertRefused(stretch("b", 1, 3, 2, 4));
    assertRefused(stretch("b", 4, 3));
    assertRefused(stretch("b", 1, 2, 2, 3));
  }

  private static void assertRefused(Stretch... others) {
    List<Stretch> all = Stream.concat(Stream.of(ALL), Stream.of(others)).toList();
    assertThrows(AssertionError.class, () -> OrderOfWrites.assertOne(all));
  }
}
