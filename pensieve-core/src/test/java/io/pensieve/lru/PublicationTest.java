package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.Race;
import io.pensieve.testing.Depth;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * In which order threads see what others store: each order that something relies on, as a race of
 * two threads that is run many times. What a processor never reorders it cannot show here.
 */
@Timeout(600)
@Tag(Depth.TAG)
class PublicationTest {
  private static final int RACES = Depth.of(10_000, 200_000, 20_000_000);
  private static final int KEY = 1;
  private static final NoOpSink<Integer, Integer> UNTOLD = new NoOpSink<>();

  /** A node with a first value, and what the second thread sees of the second one. */
  private static final class Written {
    final Node<Integer, Integer> node = new Node<>(KEY);
    Node.@Nullable Snapshot<Integer> snapshot;
    @Nullable Integer value;
    long version;

    Written(long expiry) {
      node.set(1, expiry, 1);
    }

    void write() {
      node.lock(false);
      node.set(2, 102, 2);
      node.unlockAndWake();
    }

    void read() {
      snapshot = node.read();
    }

    void readValueThenVersion() {
      value = node.value();
      version = node.version();
    }

    void readExpiryThenValue() {
      version = node.expiryMillis();
      value = node.value();
    }
  }

  @Test
  void valueVersionAndExpiryAreReadAsOneWriteLeftThem() throws Exception {
    assertOutcomes(
        Set.of("1 1 101", "2 2 102"),
        () -> new Written(101),
        Written::write,
        Written::read,
        state -> told(state.snapshot));
  }

  @Test
  void theFirstExpiryOfAnEntryComesWithItsValue() throws Exception {
    assertOutcomes(
        Set.of("1 1 " + Node.NEVER, "2 2 102"),
        () -> new Written(Node.NEVER),
        Written::write,
        Written::read,
        state -> told(state.snapshot));
  }

  private static String told(Node.@Nullable Snapshot<Integer> read) {
    return read == null ? "none" : read.value() + " " + read.version() + " " + read.expiryMillis();
  }

  @Test
  void theVersionReadAfterAValueIsAtLeastThatOfTheValue() throws Exception {
    assertOutcomes(
        Set.of("1 1", "1 2", "2 2"),
        () -> new Written(Node.NEVER),
        Written::write,
        Written::readValueThenVersion,
        state -> state.value + " " + state.version);
  }

  @Test
  void aValueReadAfterAnExpiryIsTheOneThatExpiresThenOrALaterOne() throws Exception {
    assertOutcomes(
        Set.of("1 until 101", "2 until 101", "2 until 102"),
        () -> new Written(101),
        Written::write,
        Written::readExpiryThenValue,
        state -> state.value + " until " + state.version);
  }

  /** A table, and what two threads get to know about its keys. */
  private static final class Shared {
    final LruTable<Integer, Integer> table;
    @Nullable Integer one;
    @Nullable Integer other;
    String seen = "nothing";

    Shared(int entriesMax) {
      table =
          new LruTable<>(
              new Capacity<>(entriesMax, Capacity.UNWEIGHTED, (key, value) -> 1),
              UNTOLD,
              UNTOLD,
              InstantSource.system(),
              () -> {},
              new SortedKeys<>(null));
    }

    Shared withAnEntry() {
      put(KEY, 1);
      return this;
    }

    @Nullable Integer put(int key, int value) {
      return table.update(key, UpdateDecision.write(value, 1, Node.NEVER)).previous();
    }

    @Nullable Integer putByFunction(int key, int value) {
      return table
          .update(key, (current, version) -> UpdateDecision.write(value, 1, Node.NEVER))
          .previous();
    }

    @Nullable Integer remove(int key) {
      return table.updatePresent(key, UpdateDecision.remove()).previous();
    }

    @Nullable Integer get(int key) {
      Node<Integer, Integer> node = table.find(key);
      return node == null ? null : table.value(node);
    }

    void ownAndLook() {
      Node<Integer, Integer> node = table.find(KEY);
      if (node != null && node.lock(false)) {
        seen = node.value() == null ? "a node without a value or an owner" : "a value";
        node.unlockAndWake();
      }
    }

    long entries() {
      return StreamSupport.stream(table.spliterator(), false).count();
    }

    String told() {
      return one + " and " + other + ", at last " + get(KEY);
    }
  }

  @Test
  void whoCanOwnANewNodeFindsAValueInIt() throws Exception {
    assertOutcomes(
        Set.of("nothing", "a value"),
        () -> new Shared(10),
        state -> state.put(KEY, 1),
        Shared::ownAndLook,
        state -> state.seen);
  }

  @Test
  void aReaderOfAKeyThatGoesFindsItsValueOrNothing() throws Exception {
    assertOutcomes(
        Set.of("1 and 1, at last null", "1 and null, at last null"),
        () -> new Shared(10).withAnEntry(),
        state -> state.one = state.remove(KEY),
        state -> state.other = state.get(KEY),
        Shared::told);
  }

  @Test
  void aValueIsPutBeforeARemovalOrAfterIt() throws Exception {
    assertOutcomes(
        Set.of("1 and null, at last 2", "2 and 1, at last null"),
        () -> new Shared(10).withAnEntry(),
        state -> state.one = state.remove(KEY),
        state -> state.other = state.put(KEY, 2),
        Shared::told);
  }

  @Test
  void ofTwoRemovalsOneFindsTheValue() throws Exception {
    assertOutcomes(
        Set.of("1 and null, at last null", "null and 1, at last null"),
        () -> new Shared(10).withAnEntry(),
        state -> state.one = state.remove(KEY),
        state -> state.other = state.remove(KEY),
        Shared::told);
  }

  @Test
  void ofTwoThatPutANewKeyOneIsTheFirst() throws Exception {
    assertOutcomes(
        Set.of("null and 1, at last 2", "2 and null, at last 1"),
        () -> new Shared(10),
        state -> state.one = state.put(KEY, 1),
        state -> state.other = state.putByFunction(KEY, 2),
        Shared::told);
  }

  @Test
  void whoEndsAFunctionOrWhoOverflowsTheTableSeesTheOther() throws Exception {
    assertOutcomes(
        Set.of("1 left"),
        () -> new Shared(1).withAnEntry(),
        state -> state.putByFunction(KEY, 2),
        state -> state.put(KEY + 1, 1),
        state -> state.entries() + " left");
  }

  /** A table that is about to grow, with full chains in some bins. */
  private static final class Growing {
    private static final int BINS = 256; // at first
    private static final int NODES_IN_BIN = Bin.CHAIN_MAX - 2;
    final NodeTable<Integer, Integer> table = new NodeTable<>(10 * BINS);
    final List<Node<Integer, Integer>> toMakeItGrow = new ArrayList<>();
    private int stable;
    private volatile boolean grown;
    String walks = "all nodes";

    Growing() {
      for (int bin = 0; bin < BINS; bin += BINS / 8) {
        for (int i = 0; i < NODES_IN_BIN; i++) {
          table.putIfAbsent(new Node<>(bin + i * BINS));
          stable++;
        }
      }
      for (int key = 1; key < 2 * BINS; key += 2) {
        toMakeItGrow.add(new Node<>(key));
      }
    }

    void grow() {
      int nodes = stable;
      for (Node<Integer, Integer> node : toMakeItGrow) {
        table.growFor(++nodes);
        table.putIfAbsent(node);
      }
      grown = true;
    }

    void walk() {
      do {
        int found = 0;
        for (Node<Integer, Integer> node : table) {
          found += (node.key() & 1) == 0 ? 1 : 0;
        }
        if (found != stable) {
          walks = "not each node once";
        }
      } while (!grown);
    }
  }

  @Test
  void aWalkFindsEachNodeOnceWhileBinsAreMoved() throws Exception {
    assertOutcomes(
        RACES / 100, Set.of("all nodes"), Growing::new, Growing::grow, Growing::walk, s -> s.walks);
  }

  private static <S> void assertOutcomes(
      Set<String> allowed,
      Supplier<S> fresh,
      Consumer<S> one,
      Consumer<S> other,
      Function<S, String> outcome)
      throws Exception {
    assertOutcomes(RACES, allowed, fresh, one, other, outcome);
  }

  private static <S> void assertOutcomes(
      int races,
      Set<String> allowed,
      Supplier<S> fresh,
      Consumer<S> one,
      Consumer<S> other,
      Function<S, String> outcome)
      throws Exception {
    Map<String, Integer> counted = Race.outcomes(races, fresh, one, other, outcome);
    System.out.println("PublicationTest: " + counted);
    Set<String> forbidden = new TreeSet<>(counted.keySet());
    forbidden.removeAll(allowed);
    assertEquals(Set.of(), forbidden, () -> "of " + counted);
  }
}
