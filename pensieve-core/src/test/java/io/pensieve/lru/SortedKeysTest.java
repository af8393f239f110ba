package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The sorted keys are those of the entries: none is missing, and none that has gone is held. */
class SortedKeysTest {
  private static final class RefusingSink extends NoOpSink<String, String> {
    boolean refuses;

    private void refuseIfAsked() {
      if (refuses) {
        throw new IllegalStateException("refused");
      }
    }

    @Override
    public long put(String key, String value, long expiryMillis) {
      refuseIfAsked();
      return super.put(key, value, expiryMillis);
    }

    @Override
    public long[] applyAtomically(List<KeyChange<String, String>> entries) {
      refuseIfAsked();
      return super.applyAtomically(entries);
    }
  }

  private Instant now = Instant.EPOCH;
  private final InstantSource clock = () -> now;
  private final RefusingSink sink = new RefusingSink();
  private final SortedKeys<String> keys = new SortedKeys<>(Comparator.naturalOrder());
  private final LruTable<String, String> table =
      new LruTable<>(
          new Capacity<>(3, Capacity.UNWEIGHTED, (key, value) -> 0),
          sink,
          sink,
          clock,
          () -> {},
          keys);

  private void put(String key, long ttlMillis) {
    table.update(key, UpdateDecision.write("value", 0, ttlMillis));
  }

  // Writers keep the list from now on, where a test does not ask for a new one.
  @BeforeEach
  void list() {
    assertEquals(List.of(), List.copyOf(keys.ascending()));
  }

  @AfterEach
  void keysAreThoseOfTheEntries() {
    List<String> expected = new ArrayList<>();
    table.forEach(node -> expected.add(node.key()));
    expected.sort(Comparator.naturalOrder());
    assertEquals(expected, List.copyOf(keys.ascending()));
  }

  @Test
  void anOverwriteAddsNothing() {
    put("a", Node.NEVER);
    put("a", Node.NEVER);
    assertEquals(List.of("a"), List.copyOf(keys.ascending()));
  }

  @Test
  void whatIsRemovedOrEvictedGoes() {
    for (String key : List.of("e", "d", "c", "b", "a")) {
      put(key, Node.NEVER);
    }
    table.updatePresent("b", UpdateDecision.remove());
    assertEquals(List.of("a", "c"), List.copyOf(keys.ascending()));
  }

  @Test
  void whatHasExpiredGoesWhenItIsRemoved() {
    put("a", 1);
    put("b", 2);
    put("c", Node.NEVER);
    now = Instant.ofEpochMilli(1);
    table.expireDue();
    assertEquals(List.of("b", "c"), List.copyOf(keys.ascending()));
    now = Instant.ofEpochMilli(2);
    put("b", Node.NEVER); // removes it first
  }

  @Test
  void whatIsChangedTogetherComesAndGoes() {
    put("a", Node.NEVER);
    table.updateAll(
        List.of("a", "b", "c"),
        (present, nowMillis) ->
            List.of(
                new MultiKeyUpdateFunction.KeyUpdate<>(
                    0, UpdateDecision.Action.REMOVE, null, 0, Node.NEVER),
                new MultiKeyUpdateFunction.KeyUpdate<>(
                    2, UpdateDecision.Action.WRITE, "value", 0, Node.NEVER)));
    assertEquals(List.of("c"), List.copyOf(keys.ascending()));
  }

  @Test
  void whatTheJournalRefusesDoesNotCome() {
    put("a", Node.NEVER);
    sink.refuses = true;
    assertThrows(IllegalStateException.class, () -> put("a", Node.NEVER));
    assertThrows(IllegalStateException.class, () -> put("b", Node.NEVER));
    assertThrows(
        IllegalStateException.class,
        () ->
            table.updateAll(
                List.of("a", "c"),
                (present, nowMillis) ->
                    List.of(
                        new MultiKeyUpdateFunction.KeyUpdate<>(
                            0, UpdateDecision.Action.WRITE, "value", 0, Node.NEVER),
                        new MultiKeyUpdateFunction.KeyUpdate<>(
                            1, UpdateDecision.Action.WRITE, "value", 0, Node.NEVER))));
    assertEquals(List.of("a"), List.copyOf(keys.ascending()));
  }

  @Test
  void keysThatAreNotToBeSortedAreNotKept() {
    SortedKeys<String> off = new SortedKeys<>(null);
    off.add("a");
    assertFalse(off.ascending().contains("a"));
  }
}
