package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The sample of the used keys: the last ones, in order, each once. */
class RecentUsesTest {
  private final RecentUses<Integer> uses = new RecentUses<>();

  private List<Integer> drained() {
    List<Integer> keys = new ArrayList<>();
    uses.drain(keys::add);
    return keys;
  }

  @Test
  void whatFitsComesOnceAndInOrder() {
    assertEquals(List.of(), drained());
    List.of(3, 1, 2, 1).forEach(uses::record);
    assertEquals(List.of(3, 1, 2, 1), drained());
    assertEquals(List.of(), drained());
    uses.record(4);
    assertEquals(List.of(4), drained());
  }

  @Test
  void ofTooManyTheLastOnesCome() {
    IntStream.range(0, 5000).forEach(uses::record);
    assertEquals(IntStream.range(5000 - 1024, 5000).boxed().toList(), drained());
    assertEquals(List.of(), drained());
  }
}
