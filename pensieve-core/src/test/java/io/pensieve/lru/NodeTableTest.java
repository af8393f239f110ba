package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.StackOverflows;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The table finds what is in it, whatever the hashes, the threads and its growth do. */
@Timeout(120)
@Tag(Depth.TAG)
class NodeTableTest {
  /** How good the hashes of keys are. */
  private enum Hashes {
    DIFFERENT,
    SHARED,
    IN_FOURS,
    FEW,
    EQUAL,
    /** Those of a small table's bin go to different bins of a large one. */
    SPLITTING;

    int of(int id) {
      return switch (this) {
        case DIFFERENT -> id;
        case SHARED -> id % 5_000;
        case IN_FOURS -> id / 4;
        case FEW -> id % 7;
        case EQUAL -> 42;
        case SPLITTING -> (id % 40) << 9;
      };
    }
  }

  private final Random random = Seed.random(NodeTableTest.class);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final AtomicInteger added = new AtomicInteger(); // since the table was created
  private NodeTable<Key, String> table = new NodeTable<>(1 << 16);

  private static int comparisonsLeft = Integer.MAX_VALUE;

  /** A key whose hash can be chosen, and which counts how often it is compared. */
  private record Key(int id, int hash, AtomicInteger comparisons) implements Comparable<Key> {
    @Override
    public int hashCode() {
      return hash;
    }

    @Override
    public boolean equals(Object other) {
      if (comparisonsLeft != Integer.MAX_VALUE && --comparisonsLeft < 0) {
        throw new StackOverflowError("thrown by a test's comparison");
      }
      comparisons.incrementAndGet();
      return other instanceof Key key && key.id == id;
    }

    @Override
    public int compareTo(Key other) {
      comparisons.incrementAndGet();
      return Integer.compare(id, other.id);
    }
  }

  private void newTable(int nodesMax) {
    table = new NodeTable<>(nodesMax);
    added.set(0);
  }

  private @Nullable Node<Key, String> putIfAbsent(Node<Key, String> node) {
    table.growFor(added.get() + 1L);
    Node<Key, String> present = table.putIfAbsent(node);
    if (present == null) {
      added.incrementAndGet();
    }
    return present;
  }

  private static Key key(int id, Hashes hash) {
    return new Key(id, hash.of(id), new AtomicInteger());
  }

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  @Test
  void aTableIsAMapWhateverTheHashes() {
    for (Hashes hash : Hashes.values()) {
      for (int nodesMax : new int[] {1, 10, 1_000, 100_000}) {
        newTable(nodesMax);
        assertIsAMap(hash);
      }
    }
  }

  private void assertIsAMap(Hashes hash) {
    Map<Key, Node<Key, String>> model = new HashMap<>();
    for (int i = 0; i < 6_000; i++) {
      Key key = key(random.nextInt(1_000), hash);
      Node<Key, String> present = model.get(key);
      assertSame(present, table.get(key));
      // At first it grows, then it shrinks.
      if (random.nextInt(6_000) > i) {
        Node<Key, String> node = new Node<>(key);
        assertSame(model.putIfAbsent(key, node), putIfAbsent(node));
      } else if (present != null) {
        assertTrue(table.remove(present));
        assertFalse(table.remove(present), "twice");
        model.remove(key);
      }
      if (i % 500 == 0) {
        assertHolds(model);
      }
    }
    assertHolds(model);
  }

  private void assertHolds(Map<Key, Node<Key, String>> model) {
    Map<Key, Node<Key, String>> walked = new HashMap<>();
    for (Node<Key, String> node : table) {
      assertNull(walked.put(node.key(), node), "twice");
    }
    assertEquals(model, walked);
    model.forEach((key, node) -> assertSame(node, table.get(key)));
  }

  @Test
  void aNodeOfTheSameKeyIsNotRemovedInPlaceOfAnother() {
    Node<Key, String> here = new Node<>(key(1, Hashes.DIFFERENT));
    putIfAbsent(here);
    assertFalse(table.remove(new Node<>(key(1, Hashes.DIFFERENT))));
    assertSame(here, table.get(key(1, Hashes.DIFFERENT)));
  }

  @Test
  void manyKeysOfOneHashAreFoundByFewComparisons() {
    int keys = 20_000;
    for (int id = 0; id < keys; id++) {
      assertNull(putIfAbsent(new Node<>(key(id, Hashes.EQUAL))));
    }
    Key last = key(keys - 1, Hashes.EQUAL);
    Node<Key, String> found = table.get(last);
    assertTrue(found != null && found.key().equals(last));
    int most = Bin.CHAIN_MAX + 2 * Integer.SIZE;
    assertTrue(last.comparisons().get() < most, "comparisons: " + last.comparisons());
  }

  /** The error comes where a crowd is moved: the bins before it are moved, those behind are not. */
  @Test
  void growingThatAnErrorEndedMidwayGoesOnAndLosesNothing() {
    for (int failAt = 1; failAt <= 8; failAt++) {
      newTable(1 << 16);
      Map<Key, Node<Key, String>> model = new HashMap<>();
      for (int id = 0; id < 40; id++) {
        add(new Key(id, 100 + 256 * (id % 2), new AtomicInteger()), model);
      }
      int errors = 0;
      for (int id = 1_000; id < 3_000; id++) {
        Key key = key(id, Hashes.DIFFERENT);
        comparisonsLeft = (id & 255) == 100 ? Integer.MAX_VALUE : failAt;
        try {
          add(key, model);
        } catch (StackOverflowError thrownByComparison) {
          errors++;
        }
        comparisonsLeft = Integer.MAX_VALUE;
        if (id % 50 == 0) {
          assertHolds(model);
        }
      }
      assertHolds(model);
      assertTrue(errors > 0, "growing was ended");
    }
  }

  private void add(Key key, Map<Key, Node<Key, String>> model) {
    Node<Key, String> node = new Node<>(key);
    assertNull(putIfAbsent(node));
    comparisonsLeft = Integer.MAX_VALUE;
    model.put(key, node);
  }

  @Test
  void whereverTheStackEndsNothingStaysLockedOrIsLost() throws Exception {
    StackOverflows.inSmallThread(
        () -> {
          for (Hashes hash : Hashes.values()) {
            for (int round = 0; round < Depth.of(1, 1, 50); round++) {
              assertSurvivesTheEndOfTheStack(hash, new StackOverflows());
            }
          }
          return null;
        });
  }

  private void assertSurvivesTheEndOfTheStack(Hashes hash, StackOverflows stack) {
    fill(hash).forEach(table::remove); // initializes the classes while the stack is whole
    newTable(1 << 16);
    Map<Key, Node<Key, String>> model = new HashMap<>();
    for (int id = 0; id < 450; id++) {
      Key key = key(id, hash);
      Node<Key, String> added = new Node<>(key);
      endingAnywhere(stack, () -> putIfAbsent(added));
      Node<Key, String> leaving = model.get(key(random.nextInt(1 + id), hash));
      if (leaving != null && random.nextInt(3) == 0) {
        endingAnywhere(stack, () -> table.remove(leaving));
        model.computeIfPresent(leaving.key(), (k, node) -> table.get(k));
      }
      if (table.get(key) == added) {
        model.put(key, added);
      }
    }
    assertHolds(model);
    model.values().forEach(node -> assertTrue(table.remove(node)));
    assertHolds(Map.of());
  }

  private void endingAnywhere(StackOverflows stack, Runnable action) {
    try {
      if (random.nextInt(5) == 0) {
        stack.run(random.nextInt(200), action);
      } else {
        action.run();
      }
    } catch (StackOverflowError ended) {
      // Done or not done.
    }
  }

  @Test
  void aCrowdedBinBecomesOrdinaryWhenFewAreLeft() {
    for (Hashes hash : List.of(Hashes.EQUAL, Hashes.FEW, Hashes.SPLITTING)) {
      newTable(1 << 16);
      List<Node<Key, String>> nodes = fill(hash);
      assertTrue(table.overflowedBins() > 0);
      Map<Key, Node<Key, String>> model = new HashMap<>();
      nodes.forEach(node -> model.put(node.key(), node));
      Collections.shuffle(nodes, random);
      for (Node<Key, String> node : nodes.subList(5, nodes.size())) {
        assertTrue(table.remove(node));
        model.remove(node.key());
      }
      assertEquals(0, table.overflowedBins());
      assertHolds(model);
      for (Node<Key, String> node : nodes.subList(5, nodes.size())) {
        assertNull(putIfAbsent(node));
        model.put(node.key(), node);
      }
      assertHolds(model);
    }
  }

  @Test
  void aKeyOfACrowdIsFoundWhileTheBinBecomesOrdinaryAndCrowdedAgain() throws Exception {
    for (int round = 0; round < Depth.of(3, 10, 10); round++) {
      newTable(1 << 16);
      List<Node<Key, String>> passing = new ArrayList<>();
      keys(0, 20, Hashes.EQUAL).forEach(key -> passing.add(new Node<>(key)));
      passing.forEach(this::putIfAbsent);
      List<Key> stable = keys(100, 3, Hashes.EQUAL);
      stable.forEach(key -> putIfAbsent(new Node<>(key)));
      AtomicInteger writing = new AtomicInteger(1);
      runAll(
          List.of(
              () -> findAll(stable, writing),
              () -> {
                for (int i = 0; i < 2_000; i++) {
                  passing.forEach(table::remove);
                  passing.forEach(this::putIfAbsent);
                }
                writing.decrementAndGet();
                return null;
              }));
    }
  }

  /** After an opening with a smaller bound. */
  @Test
  void aTableTakesItsSizeFromWhatIsLeft() {
    newTable(10);
    table.growBeyond();
    List<Node<Key, String>> nodes = new ArrayList<>();
    keys(0, 10_000, Hashes.DIFFERENT).forEach(key -> nodes.add(new Node<>(key)));
    nodes.forEach(this::putIfAbsent);
    assertEquals(0, table.overflowedBins());
    assertTrue(table.bins() >= 10_000);
    nodes.subList(10, nodes.size()).forEach(table::remove);
    table.fit(10);
    assertEquals(32, table.bins());
    Map<Key, Node<Key, String>> model = new HashMap<>();
    nodes.subList(0, 10).forEach(node -> model.put(node.key(), node));
    assertHolds(model);
    nodes.subList(10, nodes.size()).forEach(this::putIfAbsent);
    assertEquals(32, table.bins(), "bounded again");
  }

  /** So that most chains have one node. */
  @Test
  void aTableGrowsWithItsNodesUpToItsBound() {
    newTable(1_000);
    for (int id = 0; id < 96; id++) {
      putIfAbsent(new Node<>(key(id, Hashes.DIFFERENT)));
    }
    assertEquals(256, table.bins());
    putIfAbsent(new Node<>(key(96, Hashes.DIFFERENT)));
    assertEquals(512, table.bins());
    table.growFor(1_000_000);
    assertEquals(2_048, table.bins());
  }

  @Test
  void aKeyThatIsThereIsFoundWhileItsNeighboursComeAndGo() throws Exception {
    for (Hashes hash : Set.of(Hashes.SHARED, Hashes.IN_FOURS, Hashes.SPLITTING)) {
      for (int round = 0; round < Depth.of(3, 15, 15); round++) {
        newTable(1 << 16);
        List<Key> stable = keys(0, 1_000, hash);
        stable.forEach(key -> putIfAbsent(new Node<>(key)));
        AtomicInteger writing = new AtomicInteger(2);
        List<Callable<Void>> work = new ArrayList<>();
        for (int writer = 0; writer < 2; writer++) {
          List<Key> own = keys(1_000 + writer * 3_000, 3_000, hash);
          work.add(() -> comeAndGo(own, new Random(own.hashCode()), writing));
        }
        work.add(() -> findAll(stable, writing));
        work.add(() -> walkOver(stable, writing));
        runAll(work);
        findAll(stable, new AtomicInteger());
      }
    }
  }

  private static List<Key> keys(int from, int count, Hashes hash) {
    List<Key> keys = new ArrayList<>();
    for (int id = from; id < from + count; id++) {
      keys.add(key(id, hash));
    }
    return keys;
  }

  // More come than go, so that the table grows.
  private Void comeAndGo(List<Key> own, Random ownRandom, AtomicInteger writing) {
    try {
      List<Node<Key, String>> here = new ArrayList<>();
      for (Key key : own) {
        Node<Key, String> node = new Node<>(key);
        assertNull(putIfAbsent(node));
        here.add(node);
        if (ownRandom.nextInt(3) == 0) {
          Node<Key, String> leaving = here.remove(ownRandom.nextInt(here.size()));
          assertTrue(table.remove(leaving));
          assertNull(table.get(leaving.key()));
        }
      }
      here.forEach(node -> assertSame(node, table.get(node.key())));
    } finally {
      writing.decrementAndGet();
    }
    return null;
  }

  private Void findAll(List<Key> stable, AtomicInteger writing) {
    do {
      for (Key key : stable) {
        Node<Key, String> node = table.get(key);
        assertTrue(node != null && node.key().equals(key), () -> "missed " + key);
      }
    } while (writing.get() > 0);
    return null;
  }

  private Void walkOver(List<Key> stable, AtomicInteger writing) {
    BitSet seen = new BitSet();
    do {
      seen.clear();
      for (Node<Key, String> node : table) {
        assertFalse(seen.get(node.key().id), () -> "twice: " + node.key());
        seen.set(node.key().id);
      }
      assertTrue(seen.nextClearBit(0) >= stable.size(), () -> "passed by " + seen);
    } while (writing.get() > 0);
    return null;
  }

  @Test
  void ofSeveralNodesForOneKeyOneGetsIn() throws Exception {
    for (Hashes hash : Hashes.values()) {
      newTable(1 << 16);
      ConcurrentLinkedQueue<Node<Key, String>> in = new ConcurrentLinkedQueue<>();
      List<Callable<Void>> work = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        work.add(() -> putAll(hash, in));
      }
      runAll(work);
      Map<Key, Node<Key, String>> winners = new HashMap<>();
      in.forEach(node -> assertNull(winners.put(node.key(), node), "two nodes of one key"));
      assertEquals(2_000, winners.size());
      assertHolds(winners);
    }
  }

  private Void putAll(Hashes hash, ConcurrentLinkedQueue<Node<Key, String>> in) {
    for (Key key : keys(0, 2_000, hash)) {
      Node<Key, String> node = new Node<>(key);
      Node<Key, String> present = putIfAbsent(node);
      if (present == null) {
        in.add(node);
      } else {
        assertEquals(key, present.key());
      }
    }
    return null;
  }

  @Test
  void aNodeIsRemovedOnce() throws Exception {
    for (Hashes hash : Hashes.values()) {
      List<Node<Key, String>> nodes = fill(hash);
      AtomicInteger removals = new AtomicInteger();
      Callable<Void> removeAll =
          () -> {
            nodes.stream().filter(table::remove).forEach(node -> removals.incrementAndGet());
            return null;
          };
      runAll(List.of(removeAll, removeAll, removeAll, removeAll));
      assertEquals(nodes.size(), removals.get());
      assertHolds(Map.of());
    }
  }

  @Test
  void neighboursThatAreRemovedAtOnceAreAllGone() throws Exception {
    for (int round = 0; round < Depth.of(20, 50, 50); round++) {
      List<Node<Key, String>> nodes = fill(Hashes.IN_FOURS);
      runAll(List.of(() -> removeHalf(nodes, 0), () -> removeHalf(nodes, 1)));
      assertHolds(Map.of());
    }
  }

  private List<Node<Key, String>> fill(Hashes hash) {
    newTable(1 << 16);
    List<Node<Key, String>> nodes = new ArrayList<>();
    keys(0, 4_000, hash).forEach(key -> nodes.add(new Node<>(key)));
    nodes.forEach(this::putIfAbsent);
    return nodes;
  }

  private Void removeHalf(List<Node<Key, String>> nodes, int half) {
    for (Node<Key, String> node : nodes) {
      assertTrue(node.key().id % 2 == half || table.remove(node));
    }
    return null;
  }

  private void runAll(List<Callable<Void>> work) throws Exception {
    CountDownLatch start = new CountDownLatch(work.size());
    List<Future<Void>> running = new ArrayList<>();
    for (Callable<Void> one : work) {
      running.add(
          threads.submit(
              () -> {
                start.countDown();
                start.await();
                return one.call();
              }));
    }
    for (Future<Void> one : running) {
      one.get();
    }
  }
}
