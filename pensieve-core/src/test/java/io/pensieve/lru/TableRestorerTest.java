package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Seed;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A history told in any order, by any number of threads, leads to what it leads to in order. */
class TableRestorerTest {
  private static final int THREADS = 3;
  private static final int CHANGES = 400;
  private static final int KEYS = 30;

  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

  @AfterEach
  void endThreads() {
    threads.shutdownNow();
  }

  private enum Kind {
    ENTRY,
    PUT,
    REMOVE,
    USE
  }

  private record Step(Kind kind, String key, long version, long stamp) {
    void tell(TableRestorer<String, String> restorer) {
      switch (kind) {
        case ENTRY, PUT -> restorer.put(key, "v" + version, version + 7, version, stamp);
        case REMOVE -> restorer.remove(key, version);
        case USE -> restorer.touch(key, stamp, version);
      }
    }
  }

  private record Kept(String key, String value, long expiryMillis, long version) {}

  private static final class RemovalsSink implements ChangeSink<String, String> {
    private final List<String> removed = new ArrayList<>();

    @Override
    public long put(String key, String value, long expiryMillis) {
      throw new AssertionError("nothing is put");
    }

    @Override
    public long remove(String key) {
      removed.add(key);
      return Long.MAX_VALUE;
    }

    @Override
    public long[] applyAtomically(List<KeyChange<String, String>> entries) {
      throw new AssertionError("nothing is changed as one");
    }
  }

  private final RemovalsSink journal = new RemovalsSink();

  private static final class ValueObserver extends NoOpSink<String, String> {
    @Override
    public void evicted(String key, String value) {
      assertFalse(value.isEmpty()); // a value, and not what is in its place
    }
  }

  /** In which nothing expires, for time stands still. */
  private LruTable<String, String> table(int bound) {
    return table(new Capacity<>(bound, Capacity.UNWEIGHTED, (key, value) -> 0));
  }

  private LruTable<String, String> weighted(int bound) {
    return table(new Capacity<>(Long.MAX_VALUE, bound, (key, value) -> 1));
  }

  private LruTable<String, String> table(Capacity<String, String> capacity) {
    return new LruTable<>(
        capacity,
        journal,
        new ValueObserver(),
        InstantSource.fixed(Instant.EPOCH),
        () -> {},
        new SortedKeys<>(null));
  }

  private static long seed() {
    return Seed.isGiven() ? Seed.choose() : 1;
  }

  /** Saved entries, then changes with growing sequences. */
  private static List<Step> history(Random random) {
    List<Step> steps = new ArrayList<>();
    int saved = random.nextInt(KEYS);
    List<Integer> versions = new ArrayList<>(Stream.iterate(1, v -> v + 1).limit(saved).toList());
    Collections.shuffle(versions, random);
    for (int i = 0; i < saved; i++) {
      steps.add(new Step(Kind.ENTRY, "k" + i, versions.get(i), i + 1));
    }
    Kind[] kinds = {Kind.PUT, Kind.PUT, Kind.REMOVE, Kind.USE};
    for (int i = 0; i < CHANGES; i++) {
      String key = "k" + random.nextInt(KEYS);
      steps.add(new Step(kinds[random.nextInt(4)], key, 1000 + 8L * i, 100 + i));
    }
    return steps;
  }

  private List<Kept> restored(int bound, ReplayOrder replayOrder) throws Exception {
    LruTable<String, String> table = table(bound);
    TableRestorer<String, String> restorer = table.restore();
    replayOrder.tell(restorer);
    restorer.finish();
    return kept(table);
  }

  private static List<Kept> kept(LruTable<String, String> table) {
    List<Kept> entries = new ArrayList<>();
    for (Node<String, String> node : table.coldestFirst()) {
      String value = String.valueOf(node.value());
      entries.add(new Kept(node.key(), value, node.expiryMillis(), node.version()));
    }
    assertEquals(entries.size(), table.size(), "nothing else is in the table");
    return entries;
  }

  private interface ReplayOrder {
    void tell(TableRestorer<String, String> restorer) throws Exception;
  }

  private static void tellInOrder(List<Step> steps, TableRestorer<String, String> restorer) {
    for (Step step : steps) {
      step.tell(restorer);
      restorer.completeUpTo(step.version());
    }
  }

  // Pieces of the history in any order, a few at a time, and then the word that they are complete.
  private void tellSideBySide(
      List<Step> steps, Random random, TableRestorer<String, String> restorer) throws Exception {
    for (int from = 0, to; from < steps.size(); from = to) {
      to = Math.min(steps.size(), from + 1 + random.nextInt(60));
      List<Step> window = new ArrayList<>(steps.subList(from, to));
      long complete = window.get(window.size() - 1).version();
      Collections.shuffle(window, random);
      List<Future<?>> told = new ArrayList<>();
      for (int thread = 0; thread < THREADS; thread++) {
        int part = window.size() * thread / THREADS;
        int end = window.size() * (thread + 1) / THREADS;
        List<Step> piece = window.subList(part, end);
        told.add(threads.submit(() -> piece.forEach(step -> step.tell(restorer))));
      }
      for (Future<?> done : told) {
        done.get();
      }
      if (random.nextBoolean()) {
        restorer.completeUpTo(complete);
      }
    }
  }

  @Test
  void anyOrderLeadsToTheSameEntriesVersionsAndOrder() throws Exception {
    Random random = new Random(seed());
    for (int round = 0; round < 500; round++) {
      List<Step> steps = history(random);
      List<Kept> expected = restored(KEYS, restorer -> tellInOrder(steps, restorer));
      assertEquals(
          expected,
          restored(KEYS, restorer -> tellSideBySide(steps, random, restorer)),
          "seed " + seed() + ", round " + round);
    }
  }

  @Test
  void anyOrderLeadsToTheSameEvictions() throws Exception {
    Random random = new Random(seed());
    for (int round = 0; round < 100; round++) {
      List<Step> steps = history(random);
      List<Kept> all = restored(KEYS, restorer -> tellInOrder(steps, restorer));
      int bound = 1 + random.nextInt(all.size());
      journal.removed.clear();
      List<Kept> kept = restored(bound, restorer -> tellSideBySide(steps, random, restorer));
      assertEquals(all.subList(all.size() - bound, all.size()), kept, "seed " + seed());
      List<Kept> coldest = all.subList(0, all.size() - bound);
      assertEquals(coldest.stream().map(Kept::key).toList(), journal.removed);
    }
  }

  /** What is left of a history that is told twice where that is asked for. */
  private List<Kept> restoredLettingGo(LruTable<String, String> table, ReplayOrder replayOrder)
      throws Exception {
    TableRestorer<String, String> restorer = table.restore();
    restorer.allowSecondPass();
    replayOrder.tell(restorer);
    if (restorer.needsSecondPass()) {
      toldAgain++;
      replayOrder.tell(restorer);
      assertFalse(restorer.needsSecondPass());
    }
    restorer.finish();
    return kept(table);
  }

  private int toldAgain;

  @Test
  void valuesThatWereLetGoLeadToTheSameEvictions() throws Exception {
    Random random = new Random(seed());
    for (int round = 0; round < 300; round++) {
      List<Step> steps = history(random);
      List<Kept> all = restored(KEYS, restorer -> tellInOrder(steps, restorer));
      int bound = 1 + random.nextInt(all.size());
      journal.removed.clear();
      List<Kept> kept =
          restoredLettingGo(
              random.nextBoolean() ? table(bound) : weighted(bound),
              restorer -> tellSideBySide(steps, random, restorer));
      assertEquals(all.subList(all.size() - bound, all.size()), kept, "seed " + seed());
      List<Kept> coldest = all.subList(0, all.size() - bound);
      assertEquals(coldest.stream().map(Kept::key).toList(), journal.removed);
    }
    assertTrue(toldAgain > 10, "told again " + toldAgain + " times");
  }

  @Test
  void noMoreValuesAreKeptThanTheBoundsAllow() {
    for (LruTable<String, String> table : List.of(table(64), weighted(64))) {
      TableRestorer<String, String> restorer = table.restore();
      restorer.allowSecondPass();
      for (int i = 1; i < 5000; i++) {
        restorer.put("k" + i, "v", Node.NEVER, i, i);
        restorer.completeUpTo(i);
        long values = 0;
        for (Node<String, String> node : i % 100 == 0 ? table : List.<Node<String, String>>of()) {
          Object value = node.value(); // or what is there in its place
          values += value instanceof String ? 1 : 0;
        }
        assertTrue(values <= 64 + 64 / 8 + 1, () -> "of 64 entries");
      }
      assertFalse(restorer.needsSecondPass());
      restorer.finish();
      assertEquals(64, table.size());
    }
  }

  @Test
  void aLogThatWillNotBeToldAgainLosesNoValue() throws Exception {
    LruTable<String, String> table = table(2);
    TableRestorer<String, String> restorer = table.restore();
    for (int i = 1; i <= 100; i++) {
      restorer.put("k" + i, "v" + i, Node.NEVER, i, i);
    }
    for (int i = 3; i <= 100; i++) {
      restorer.remove("k" + i, 100 + i);
    }
    restorer.finish();
    assertEquals(List.of("v1", "v2"), kept(table).stream().map(Kept::value).toList());
  }

  @Test
  void aRemovalIsRememberedUntilEverythingBeforeItHasBeenTold() throws Exception {
    assertEquals(
        List.of(),
        restored(
            KEYS,
            restorer -> {
              restorer.remove("a", 20);
              restorer.touch("a", 15, 15);
              restorer.completeUpTo(5);
              restorer.put("a", "old", Node.NEVER, 10, 10);
            }));
  }

  @Test
  void whatWasRemovedIsForgottenOnceEverythingBeforeItHasBeenTold() {
    LruTable<String, String> table = table(KEYS);
    TableRestorer<String, String> restorer = table.restore();
    for (long version = 1; version < 10_000; version += 2) {
      restorer.put("k" + version, "v", Node.NEVER, version, version);
      restorer.remove("k" + version, version + 1);
      restorer.completeUpTo(version + 1);
      assertEquals(0, table.size());
    }
  }

  @Test
  void severalThreadsForgetRemovalsWhileOthersRemove() throws Exception {
    LruTable<String, String> table = table(KEYS);
    TableRestorer<String, String> restorer = table.restore();
    List<Future<?>> done = new ArrayList<>();
    for (int thread = 0; thread < THREADS; thread++) {
      String name = "k" + thread + "-";
      done.add(
          threads.submit(
              () -> {
                for (long version = 1; version < 20_000; version += 2) {
                  restorer.put(name + version, "v", Node.NEVER, version, version);
                  restorer.remove(name + version, version + 1);
                  restorer.completeUpTo(version + 1); // no put of any key comes after its removal
                }
              }));
    }
    for (Future<?> thread : done) {
      thread.get();
    }
    restorer.finish();
    assertEquals(0, table.size());
    assertFalse(table.iterator().hasNext());
  }

  @Test
  void whatIsToldToFollowHasRoomAtOnceWithinTheBound() {
    NodeTable<String, String> nodes = new NodeTable<>(100_000);
    nodes.growBeyond();
    List<Node<String, String>> held = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      held.add(new Node<>("k" + i));
      nodes.putIfAbsent(held.get(i));
    }
    nodes.enlarge(10);
    assertEquals(4_096, nodes.bins(), "never smaller");
    nodes.enlarge(30_000);
    assertEquals(131_072, nodes.bins());
    nodes.growFor(30_000);
    assertEquals(131_072, nodes.bins(), "no more growth is due");
    nodes.enlarge(Long.MAX_VALUE);
    assertEquals(262_144, nodes.bins());
    held.forEach(node -> assertSame(node, nodes.get(node.key())));
  }

  @Test
  void entriesToldAfterAnExpectationAreThereAsWithoutOne() {
    LruTable<String, String> table = table(KEYS);
    TableRestorer<String, String> restorer = table.restore();
    restorer.put("a", "1", Node.NEVER, 1, 1);
    restorer.expect(1e15);
    restorer.put("a", "2", Node.NEVER, 2, 2);
    restorer.put("b", "3", Node.NEVER, 3, 3);
    restorer.finish();
    List<String> left = new ArrayList<>();
    table.iterator().forEachRemaining(node -> left.add(node.key() + "=" + node.value()));
    assertEquals(Set.of("a=2", "b=3"), Set.copyOf(left));
    assertEquals(2, left.size());
  }

  @Test
  void aStampThatTheClockWouldTakeForItsOwnIsRefused() {
    TableRestorer<String, String> restorer = table(1).restore();
    long beyond = (1L << 61) + 1;
    assertThrows(
        IllegalArgumentException.class, () -> restorer.put("a", "1", Node.NEVER, beyond, beyond));
  }
}
