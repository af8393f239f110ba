package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.LogException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/**
 * What a standby shows and refuses, and what becomes of it when it leads and when it no longer
 * does.
 */
@Timeout(120)
class StandbyMapTest {
  private final ManualClock clock = new ManualClock();
  private final FakeReplicatedLog<String, String> log = new FakeReplicatedLog<>();
  private final List<String> left = new ArrayList<>();
  private @Nullable Pensieve<String, String> opened;

  private Pensieve<String, String> open() {
    opened =
        Pensieve.<String, String>builder()
            .maximumEntries(3)
            .clock(clock)
            .orderKeys(Comparator.naturalOrder())
            .removalListener((key, value, cause) -> left.add(key + "=" + value + " " + cause))
            .log(log)
            .open();
    return opened;
  }

  @AfterEach
  void allPartsAgree() {
    Pensieve<String, String> map = opened;
    if (map != null) {
      List<String> keys = new ArrayList<>();
      map.orderedKeys().forEach(keys::add);
      assertEquals(keys, map.keySet().stream().sorted().toList());
      assertEquals(keys.size(), map.size());
      map.close();
    }
  }

  private static Change<String, String> put(String key, String value) {
    return new Change.Put<>(key, value);
  }

  private static Change<String, String> remove(String key) {
    return new Change.Remove<>(key);
  }

  private static LiveEntry<String, String> entry(String key, String value, long version) {
    return new LiveEntry<>(new Change.Put<>(key, value), version);
  }

  private static long version(Pensieve<String, String> map, String key) {
    return requireNonNull(map.getVersioned(key)).version();
  }

  private static List<String> coldestFirst(Pensieve<String, String> map) {
    List<String> entries = new ArrayList<>();
    map.coldestFirst().forEach(entry -> entries.add(entry.getKey() + "=" + entry.getValue()));
    return entries;
  }

  @Test
  void aStandbyShowsWhatTheLogAppliesWithItsVersionsAndExpiries() {
    var map = open();
    log.apply(10, put("a", "1"));
    long expiry = clock.millis() + 500;
    log.apply(12, new Change.Put<>("b", "2", expiry));
    log.apply(15, remove("a"));
    log.apply(16, put("c", "3"));
    log.apply(17, new Change.Touch<>("b"));

    assertEquals(List.of("c=3", "b=2"), coldestFirst(map));
    Versioned<String> b = requireNonNull(map.getVersioned("b"));
    assertEquals(12, b.version());
    assertEquals(Optional.of(expiry), b.expiry().map(time -> time.toEpochMilli()));
    assertEquals(16, requireNonNull(map.getAsync("c").entry()).version());
    assertEquals(List.of("a=1 REMOVED"), left);
  }

  @Test
  void aChangeThatTheMapHasAlreadyIsSkipped() {
    log.saved("a", "9", 9).saved("b", "8", 8);
    var map = open();
    log.apply(7, put("a", "old"));
    log.apply(8, remove("b"));
    log.apply(9, remove("a"));
    assertEquals(List.of("a=9", "b=8"), coldestFirst(map));
    log.apply(10, remove("a"));
    assertEquals(List.of("b=8"), coldestFirst(map));
  }

  @Test
  void aStandbyNeitherEvictsNorExpires() {
    for (int i = 1; i <= 5; i++) {
      log.saved("s" + i, "v", i);
    }
    var map = open();
    for (int i = 6; i <= 9; i++) {
      log.apply(i, put("a" + i, "v"));
    }
    assertEquals(9, map.size());
    long expiry = clock.millis() + 10;
    log.apply(20, new Change.Put<>("x", "v", expiry));
    clock.advance(Duration.ofSeconds(1));
    map.cleanUp();
    assertNull(map.get("x"));
    assertTrue(map.getAsync("x").expired(), "the leader may have replaced it before");
    assertFalse(map.getAsync("y").expired(), "there is none");
    assertFalse(map.getAsync("a9").expired());
    assertEquals(20, requireNonNull(log.map().entry("x")).version());

    // The leader's clock is behind: it may still use the entry, or write it with another time.
    log.apply(21, new Change.Touch<>("x"));
    assertEquals(20, requireNonNull(log.map().entry("x")).version());
    log.apply(22, new Change.Put<>("x", "w", clock.millis() + 10));
    assertEquals("w", map.get("x"));
    assertEquals(List.of("x=v REPLACED"), left);
  }

  @Test
  void aListingReportsTheKeysOfWhichOnlyTheLeaderKnows() {
    var map = open();
    long expiry = clock.millis() + 10;
    log.apply(10, put("a", "1"));
    log.apply(11, new Change.Put<>("b", "2", expiry));
    log.apply(12, new Change.Put<>("c", "3", expiry));
    clock.advance(Duration.ofSeconds(1));
    log.apply(13, remove("b"));
    List<String> uncertain = new ArrayList<>();
    OrderedKeys<String> keys = map.orderedKeys().reportUncertain(uncertain::add);
    assertEquals(1, KeyQuery.count(keys, ""));
    assertEquals(List.of("c"), uncertain, "the leader may have replaced it before it expired");
    OrderedKeys<String> refusing =
        map.orderedKeys()
            .reportUncertain(
                key -> {
                  throw new IllegalStateException(key);
                });
    KeyQuery query = KeyQuery.ofPrefix("", 1);
    assertThrows(IllegalStateException.class, () -> query.page(refusing));

    log.lead(100);
    log.acknowledgeAll();
    assertEquals(1, KeyQuery.count(keys, ""));
    assertEquals(List.of("c"), uncertain, "now this map decides");
    assertFalse(map.getAsync("c").expired());
  }

  @Test
  void aStandbyRefusesEveryWriteAtOnce() {
    log.saved("a", "1", 1);
    var map = open();
    Stream<Executable> writes =
        Stream.of(
            () -> map.put("a", "2"),
            () -> map.putAsync("b", "2"),
            () -> map.remove("absent"),
            () -> map.removeAsync("absent"),
            () -> map.putIfAbsent("a", "2"),
            () -> map.replace("absent", "2"),
            () -> map.computeIfPresent("absent", (k, v) -> "2"),
            () -> map.compute("a", (k, v) -> fail()),
            () -> map.writeAsync(Write.removeIfVersion("a", 77)),
            () -> map.writeAsync(new AtomicBatch<String, String>().get("a")),
            () -> map.putAll(Map.of()),
            () -> map.values().removeIf(value -> false),
            () -> map.entrySet().iterator().next().setValue("2"),
            map::clear);
    writes.forEach(write -> assertThrows(LogException.ReadOnly.class, write));
    assertEquals(List.of("a=1"), coldestFirst(map));
    assertEquals("1", map.computeIfAbsent("a", key -> fail()), "is a read");
  }

  private static String fail() {
    throw new AssertionError("must not run");
  }

  @Test
  void readsOfAStandbyLeaveTheOrderToTheLog() {
    log.saved("a", "1", 1).saved("b", "2", 2);
    var map = open();
    map.get("a");
    map.getVersioned("a");
    map.getAsync("a");
    assertEquals(List.of("a=1", "b=2"), coldestFirst(map));
    log.lead(100);
    map.get("a");
    assertEquals(List.of("b=2", "a=1"), coldestFirst(map));
    List<String> used = new ArrayList<>();
    log.map().drainUses(used::add);
    assertEquals(List.of("a"), used);
    log.lose();
    map.get("b");
    log.map().drainUses(used::add);
    assertEquals(List.of("a"), used);
  }

  @Test
  void aPromotedMapIsAnOrdinaryOne() {
    for (int i = 1; i <= 5; i++) {
      log.saved("k" + i, "v" + i, i);
    }
    var map = open();
    log.apply(6, new Change.Put<>("x", "v", clock.millis() + 10));
    clock.advance(10);
    log.lead(1000);
    assertEquals(List.of("k3=v3", "k4=v4", "k5=v5"), allowingUnacknowledged(map));
    map.putAsync("n", "v");
    assertEquals(List.of("k4=v4", "k5=v5", "n=v"), allowingUnacknowledged(map));
    log.acknowledgeAll();
    assertEquals(1004, version(map, "n"));
    assertEquals(List.of("x=v EXPIRED", "k1=v1 EVICTED", "k2=v2 EVICTED", "k3=v3 EVICTED"), left);
  }

  private List<String> allowingUnacknowledged(Pensieve<String, String> map) {
    log.acknowledgeAll();
    return coldestFirst(map);
  }

  @Test
  void whatChangesNothingWaitsUntilTheLeadIsConfirmed() {
    var map = open();
    log.lead(100);
    map.putAsync("a", "1");
    log.acknowledgeAll();
    CompletableFuture<Void> confirmation = new CompletableFuture<>();
    log.confirmLeadBy(confirmation);
    Map<String, CompletableFuture<Void>> found = new LinkedHashMap<>();
    found.put("reads", map.writeAsync(new AtomicBatch<String, String>().get("a")).durable());
    found.put(
        "a read of nothing", map.writeAsync(new AtomicBatch<String, String>().get("b")).durable());
    found.put(
        "a check",
        map.writeAsync(new AtomicBatch<String, String>().requireVersion("a", 101)).durable());
    found.put(
        "a check that fails",
        map.writeAsync(new AtomicBatch<String, String>().requireAbsent("a").put("a", "2"))
            .durable());
    found.put("a removal", map.removeAsync("b").durable());
    found.put("a condition that fails", map.writeAsync(Write.removeIfVersion("a", 100)).durable());
    found.put(
        "a touch",
        map.writeAsync(Write.<String, String>touch("b", TimeToLive.unlimited())).durable());
    found.forEach((what, durable) -> assertFalse(durable.isDone(), what));
    var written = map.writeAsync(new AtomicBatch<String, String>().get("a").put("b", "2"));
    log.acknowledgeAll();
    assertTrue(written.durable().isDone(), "a change is confirmed by its commit");
    confirmation.complete(null);
    found.forEach((what, durable) -> assertTrue(durable.isDone(), what));
  }

  @Test
  void theLostChangesAreUndoneNewestFirst() {
    log.saved("a", "1", 1).saved("b", "2", 2).saved("gone", "3", 3);
    var map = open();
    log.lead(100);
    map.putAsync("a", "lost");
    map.putAsync("a", "lost again");
    map.removeAsync("b");
    map.putAsync("new", "lost");
    map.removeAsync("new");
    map.removeAsync("gone");
    map.putAsync("gone", "lost");
    map.putAsync("e1", "lost");
    map.putAsync("e2", "lost"); // evicts
    log.lose();
    assertEquals(Map.of("a", "1", "b", "2", "gone", "3"), Map.copyOf(map));
    assertEquals(1, version(map, "a"));
    assertEquals(2, version(map, "b"));
    assertEquals(3, version(map, "gone"));
    assertNull(map.get("new"));
    assertNull(map.getAsync("e1").entry());
    map.getAsync("e1").durable().join();
  }

  /**
   * Whoever found the value just before the lead ended is told that it is durable, for the next
   * leader has committed it. The map still shows the value before it, and so must the read: the
   * next one does.
   */
  @Test
  void aLostValueThatIsCommittedAfterAllIsNotReadBeforeTheMapShowsIt() {
    var map = open();
    log.apply(1, put("a", "old"));
    List<UnaryOperator<String>> reads =
        List.of(map::get, map::peek, key -> requireNonNull(map.getVersioned(key)).value());
    long sequence = 100;
    for (UnaryOperator<String> read : reads) {
      String before = requireNonNull(map.get("a"));
      Change<String, String> change = putAndLoseAtNextWait(map, sequence);
      assertEquals(before, read.apply("a"));
      assertEquals(before, map.get("a"));
      log.map().apply(sequence, change);
      assertEquals("put as " + sequence, read.apply("a"));
      sequence += 100;
    }
  }

  @Test
  void aPendingReadOfALostValueFailsThoughItIsCommittedAfterAll() {
    var map = open();
    List<Function<String, PendingRead<String>>> reads = List.of(map::getAsync, map::peekAsync);
    long sequence = 100;
    for (Function<String, PendingRead<String>> read : reads) {
      Change<String, String> change = putAndLoseAtNextWait(map, sequence);
      CompletableFuture<Void> durable = read.apply("a").durable();
      var failure = assertThrows(CompletionException.class, durable::join);
      assertInstanceOf(LogException.OutcomeUnknown.class, failure.getCause());
      log.map().apply(sequence, change);
      sequence += 100;
    }
  }

  /**
   * Leads, and puts. At the next look at what is durable the lead ends, and the next leader has
   * committed the put.
   */
  private Change<String, String> putAndLoseAtNextWait(Pensieve<String, String> map, long sequence) {
    log.lead(sequence - 1);
    Change<String, String> change = put("a", "put as " + sequence);
    PendingWrite<String> unused = map.putAsync("a", "put as " + sequence);
    log.atNextWait(
        () -> {
          List<FakeReplicatedLog.Pending<String, String>> lost = log.lose();
          assertEquals(List.of(sequence), lost.stream().map(one -> one.sequence()).toList());
          log.commit(sequence, change);
        });
    return change;
  }

  @Test
  void aChangeThatWasCommittedAfterAllComesBack() {
    var map = open();
    log.lead(100);
    PendingWrite<String> write = map.putAsync("a", "1");
    log.lose();
    assertNull(map.get("a"));
    assertThrows(LogException.OutcomeUnknown.class, write::await);
    log.apply(write.version(), put("a", "1"));
    assertEquals("1", map.get("a"));
    assertEquals(write.version(), version(map, "a"));
  }

  @Test
  void aMapLeadsAgain() {
    var map = open();
    for (int term = 1; term <= 5; term++) {
      log.lead(1000L * term);
      map.putAsync("kept", "in " + term);
      log.acknowledgeAll();
      map.putAsync("kept", "lost");
      map.putAsync("x" + term, "lost");
      log.lose();
      assertEquals(Map.of("kept", "in " + term), Map.copyOf(map));
      assertEquals(1000L * term + 1, version(map, "kept"));
    }
  }

  @Test
  void aSavedStateReplacesAllEntries() {
    log.saved("a", "1", 10).saved("b", "2", 20).saved("c", "3", 30);
    var map = open();
    clock.advance(1);
    log.install(List.of(entry("c", "older", 25), entry("n", "4", 40), entry("b", "2", 20)));
    assertEquals(List.of("c=older", "n=4", "b=2"), coldestFirst(map));
    assertEquals(25, version(map, "c"));
    log.apply(41, put("c", "5"));
    assertEquals(List.of("n=4", "b=2", "c=5"), coldestFirst(map));
  }

  @Test
  void whoeverEvictsForARefusedLogDoesNotLearnOfIt() {
    var map = open();
    log.lead(100);
    for (LogException refusal :
        List.of(new LogException.ReadOnly("lost"), new LogException.Overloaded("full"))) {
      map.putAsync("a", "1");
      map.putAsync("b", "1");
      map.putAsync("c", "1");
      log.afterAppend(change -> log.refuse(refusal));
      assertTrue(map.putAsync("d", "1").applied(), "made, and its eviction waits");
      log.afterAppend(change -> {});
      log.refuse(null);
      map.putAsync("e", "1");
      log.acknowledgeAll();
      assertEquals(List.of("c=1", "d=1", "e=1"), coldestFirst(map));
    }
    assertFalse(left.contains("d=1 EVICTED") && !left.contains("c=1 EVICTED"));
  }

  @Test
  void closingAStandbyAppendsNothing() {
    log.saved("a", "1", 1);
    var map = open();
    map.close();
    assertThrows(IllegalStateException.class, () -> map.put("a", "2"));
  }
}
