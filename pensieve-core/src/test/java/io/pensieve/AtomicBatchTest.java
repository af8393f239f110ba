package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.BatchResult.Failure;
import io.pensieve.BatchResult.OperationResult;
import io.pensieve.BatchResult.Reason;
import io.pensieve.log.Change;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several operations are done as one, in their order, or none of them is. */
@Timeout(120)
class AtomicBatchTest {
  private final ManualClock clock = new ManualClock();
  private final RecordingLog<String, String> log = new RecordingLog<>();
  private final List<String> told = Collections.synchronizedList(new ArrayList<>());
  private final Pensieve<String, String> map =
      Pensieve.<String, String>builder()
          .maximumEntries(4)
          .clock(clock)
          .removalListener((key, value, cause) -> told.add(key + "=" + value + " " + cause))
          .recordStatistics()
          .log(log)
          .open();
  private final AtomicBatch<String, String> batch = new AtomicBatch<>();

  @AfterEach
  void foldOfLogIsMap() {
    assertEquals(Map.copyOf(map), log.fold());
    map.close();
  }

  @Test
  void eachOperationSeesThoseBeforeIt() {
    map.put("a", "0");
    batch.get("a").put("a", "1").get("a").remove("a").get("a").requireAbsent("a").put("a", "2");
    BatchResult<String> done = map.writeAsync(batch).await();
    assertTrue(done.applied());
    assertEquals(List.of("0", "1", "2"), valuesOf(done));
    List<OperationResult<String>> results = done.results();
    assertEquals("0", results.get(1).previous());
    assertEquals(new OperationResult<>("1", null, true), results.get(3));
    assertEquals(new OperationResult<>(null, null, false), results.get(4));
    assertEquals(new OperationResult<>(null, null, false), results.get(5));
    assertNull(results.get(6).previous());
    assertEquals("2", map.get("a"));
  }

  private static List<String> valuesOf(BatchResult<String> done) {
    return done.results().stream()
        .map(OperationResult::entry)
        .filter(entry -> entry != null)
        .map(Versioned::value)
        .distinct()
        .toList();
  }

  @Test
  void allChangesAreAppendedAsOneAndEachKeysOnce() {
    map.put("gone", "0");
    int before = log.history().size();
    map.writeAsync(batch.put("a", "1").remove("gone").put("b", "2").put("a", "3")).await();
    assertEquals(
        List.of(
            List.of(
                new Change.Remove<>("gone"),
                new Change.Put<>("b", "2"),
                new Change.Put<>("a", "3"))),
        log.groups());
    assertEquals(before + 3, log.history().size());
  }

  @Test
  void theVersionOfAKeyIsTheSequenceOfItsChange() {
    BatchResult<String> done = map.writeAsync(batch.put("a", "1").put("b", "2").get("a")).await();
    for (int i = 0; i < 3; i++) {
      Versioned<String> entry = requireNonNull(done.results().get(i).entry());
      assertEquals(i == 1 ? 2 : 1, entry.version() % 2 + 1, "b is logged first: a is used last");
    }
    assertEquals(versionOf("a"), requireNonNull(done.results().get(2).entry()).version());
    assertEquals(versionOf("b"), requireNonNull(done.results().get(1).entry()).version());
    assertEquals(List.of("b", "a"), List.copyOf(log.fold().keySet()));
  }

  @Test
  void whatComesAndGoesWithinTheBatchIsNothing() {
    assertTrue(map.writeAsync(batch.put("a", "1").remove("a").remove("b")).await().applied());
    assertEquals(List.of(), log.history());
    assertEquals(List.of(), told);
    assertEquals(0, map.size());
  }

  @Test
  void whatComesAndGoesInPlaceOfAnExpiredEntryHasNoVersionEither() {
    map.put("a", "1", Duration.ofMillis(5));
    clock.advance(5);
    batch.put("a", "2").get("a").remove("a");
    List<OperationResult<String>> results = map.writeAsync(batch).await().results();
    assertEquals(0, requireNonNull(results.get(0).entry()).version());
    assertEquals(0, requireNonNull(results.get(1).entry()).version());
    map.cleanUp();
  }

  @Test
  void aBatchOfOneChangeNeedsNoLogThatTakesSeveral() {
    try (Pensieve<String, String> single =
        Pensieve.<String, String>builder().log(new SingleAppendLog()).open()) {
      single.writeAsync(batch.put("a", "1").get("b"));
      assertEquals("1", single.get("a"));
      batch.put("b", "1");
      assertThrows(UnsupportedOperationException.class, () -> single.writeAsync(batch));
      assertFalse(single.containsKey("b"));
    }
  }

  @Test
  void anEmptyBatchIsDone() {
    assertEquals(List.of(), map.writeAsync(batch).await().results());
  }

  @Test
  void aRequirementThatDoesNotHoldRefusesAll() {
    long version = map.putAsync("a", "1").version();
    batch.put("b", "2").requireVersion("a", version).remove("a").requireVersion("a", version);
    BatchResult<String> refused = map.writeAsync(batch).await();
    assertFalse(refused.applied());
    assertEquals(List.of(), refused.results());
    Versioned<String> present = new Versioned<>("1", version, Optional.empty());
    assertEquals(Optional.of(new Failure<>(3, Reason.REQUIREMENT, present)), refused.failure());
    assertEquals(Map.of("a", "1"), map);
    assertEquals(1, log.history().size());
    assertEquals(List.of(), told);
  }

  @Test
  void aVersionThatTheBatchItselfMakesIsNotThereYet() {
    long version = map.putAsync("a", "1").version();
    for (long required : new long[] {version, version + 1, 0, -1}) {
      AtomicBatch<String, String> own = new AtomicBatch<>();
      own.put("a", "2").requireVersion("a", required);
      assertEquals(1, refusalOf(own).operation(), () -> "requires version " + required);
    }
    assertEquals("1", map.get("a"));
  }

  @Test
  void absenceCanBeRequired() {
    map.put("a", "1");
    assertEquals(1, refusalOf(batch.requireAbsent("b").requireAbsent("a")).operation());
    assertNull(refusalOf(new AtomicBatch<String, String>().requireVersion("b", 0)).entry());
    assertTrue(
        map.writeAsync(new AtomicBatch<String, String>().requireAbsent("b").put("b", "2"))
            .applied());
  }

  @Test
  void incrementsAddUpAndRefuseWhatIsNoNumber() {
    map.put("word", "one");
    map.put("large", Long.toString(Long.MAX_VALUE));
    NumberCodec<String> decimal = NumberCodec.decimal();
    batch.increment("n", 5, decimal).increment("n", -7, decimal).get("n");
    BatchResult<String> done = map.writeAsync(batch).await();
    assertEquals(List.of("5", "-2"), valuesOf(done));
    assertEquals(Reason.NOT_A_NUMBER, refusalOf(batch.increment("word", 1, decimal)).reason());
    AtomicBatch<String, String> over = new AtomicBatch<>();
    assertEquals(Reason.OVERFLOW, refusalOf(over.increment("large", 1, decimal)).reason());
    assertEquals("-2", map.get("n"));
  }

  @Test
  void anEntryKeepsItsTimeWhenItIsIncrementedAndExpiredOnesAreAbsent() {
    Instant start = clock.instant();
    map.put("n", "1", Duration.ofSeconds(10));
    map.put("over", "1", Duration.ofSeconds(1));
    clock.advance(5_000);
    batch
        .increment("n", 1, NumberCodec.decimal())
        .requireAbsent("over")
        .put("m", "1", Duration.ofSeconds(1))
        .increment("m", 1, NumberCodec.decimal());
    List<OperationResult<String>> results = map.writeAsync(batch).await().results();
    assertEquals(Optional.of(start.plusSeconds(10)), expiryIn(results, 0));
    assertEquals(Optional.of(start.plusSeconds(6)), expiryIn(results, 2));
    assertEquals(Optional.of(start.plusSeconds(6)), expiryIn(results, 3));
    assertEquals(Optional.of(start.plusSeconds(6)), requireNonNull(map.getVersioned("m")).expiry());
    map.cleanUp();
    assertEquals(Set.of("n=1 REPLACED", "over=1 EXPIRED"), Set.copyOf(told));
  }

  @Test
  void aTouchGivesANewVersionToWhatFollowsItInTheBatch() {
    map.put("a", "1");
    long version = requireNonNull(map.getVersioned("a")).version();
    batch.touch("a", TimeToLive.of(Duration.ofSeconds(60))).requireVersion("a", version);
    assertEquals(Reason.REQUIREMENT, refusalOf(batch).reason());
    assertEquals(Optional.empty(), requireNonNull(map.getVersioned("a")).expiry());
  }

  @Test
  void whatABatchTouchesKeepsItsValueAndGetsANewVersion() {
    Instant start = clock.instant();
    map.put("touched", "1", Duration.ofSeconds(10));
    map.put("kept", "1", Duration.ofSeconds(10));
    map.put("over", "1", Duration.ofSeconds(1));
    long version = requireNonNull(map.getVersioned("touched")).version();
    clock.advance(5_000);
    batch
        .touch("touched", TimeToLive.of(Duration.ofSeconds(60)))
        .touch("over", TimeToLive.of(Duration.ofSeconds(60)))
        .put("kept", "2", TimeToLive.unchanged())
        .put("new", "2", TimeToLive.of(Duration.ofSeconds(7)).forNewEntries())
        .put("new", "3", TimeToLive.of(Duration.ofSeconds(70)).forNewEntries())
        .increment("kept", 1, NumberCodec.decimal(), TimeToLive.unlimited());
    List<OperationResult<String>> results = map.writeAsync(batch).await().results();
    assertEquals(Optional.of(start.plusSeconds(65)), expiryIn(results, 0));
    assertEquals(new OperationResult<String>(null, null, false), results.get(1));
    assertEquals(Optional.of(start.plusSeconds(10)), expiryIn(results, 2));
    assertEquals(Optional.of(start.plusSeconds(12)), expiryIn(results, 3));
    assertEquals(Optional.of(start.plusSeconds(12)), expiryIn(results, 4));
    assertEquals(Optional.empty(), expiryIn(results, 5));
    Versioned<String> touched = requireNonNull(map.getVersioned("touched"));
    assertEquals("1", touched.value());
    assertTrue(touched.version() > version);
    assertEquals(Optional.of(start.plusSeconds(65)), touched.expiry());
    assertEquals(Map.of("touched", "1", "kept", "3", "new", "3"), Map.copyOf(map));
    map.cleanUp(); // the log still has the one that was over
  }

  private static Optional<Instant> expiryIn(List<OperationResult<String>> results, int operation) {
    return requireNonNull(results.get(operation).entry()).expiry();
  }

  @Test
  void anExpiredEntryThatIsWrittenHasExpiredAndWasNotReplaced() {
    map.put("a", "1", Duration.ofSeconds(1));
    clock.advance(1_000);
    assertNull(map.writeAsync(batch.put("a", "2")).await().results().get(0).previous());
    assertEquals(List.of("a=1 EXPIRED"), told);
    map.cleanUp();
    assertEquals("2", map.get("a"));
    assertEquals(1, told.size());
  }

  @Test
  void listenersAndCountersAreToldOncePerChange() {
    map.put("a", "1");
    map.put("b", "1");
    told.clear();
    batch.get("a").get("c").put("a", "2").put("a", "3").remove("b").put("b", "4").remove("b");
    map.writeAsync(batch).await();
    assertEquals(List.of("a=1 REPLACED", "b=1 REMOVED"), told);
    Statistics counted = map.statistics();
    assertEquals(3, counted.puts());
    assertEquals(1, counted.removals());
    assertEquals(1, counted.hits());
    assertEquals(1, counted.misses());
  }

  @Test
  void theOverflowIsEvictedAfterTheBatchColdestFirst() {
    for (String key : List.of("a", "b", "c", "d")) {
      map.put(key, "1");
    }
    map.writeAsync(batch.get("a").requireVersion("b", versionOf("b")).put("e", "1").put("f", "1"));
    assertEquals(List.of("d", "a", "e", "f"), keysColdestFirst());
    assertEquals(List.of("b=1 EVICTED", "c=1 EVICTED"), told);
  }

  @Test
  void aBatchThatPutsMoreThanFitsIsRefusedBeforeItChangesAnything() {
    map.put("a", "1");
    for (int i = 0; i < 5; i++) {
      batch.put("k" + i, "1");
    }
    batch.get("a");
    assertThrows(IllegalArgumentException.class, () -> map.writeAsync(batch));
    assertEquals(Map.of("a", "1"), map);
    assertTrue(map.writeAsync(batch.remove("k0")).applied(), "four remain");
    assertEquals(List.of("k2", "k3", "k4", "a"), keysColdestFirst());
  }

  @Test
  void aBatchThatIsTooHeavyIsRefusedToo() {
    try (Pensieve<String, String> weighted =
        Pensieve.<String, String>builder()
            .maximumWeight(10, (key, value) -> value.length())
            .open()) {
      weighted.put("a", "1");
      batch.put("b", "12345").put("c", "12345");
      assertTrue(weighted.writeAsync(batch).applied());
      assertEquals(10, weighted.weight());
      assertFalse(weighted.containsKey("a"));
      batch.put("d", "1");
      assertThrows(IllegalArgumentException.class, () -> weighted.writeAsync(batch));
      batch.remove("d").put("b", "12345678901");
      assertThrows(IllegalArgumentException.class, () -> weighted.writeAsync(batch));
      assertFalse(weighted.containsKey("d"));
      assertEquals(10, weighted.weight());
    }
  }

  @Test
  void aLogThatRefusesLeavesEverythingAsItWas() {
    map.put("a", "1");
    batch.put("a", "2").put("b", "2").remove("c");
    log.refuse(new LogException.Full("no room"));
    assertThrows(LogException.Full.class, () -> map.writeAsync(batch));
    log.refuse(null);
    assertEquals(Map.of("a", "1"), map);
    assertEquals(List.of(), told);
    assertTrue(map.writeAsync(batch).applied(), "nothing is owned by anybody");
    assertEquals("2", map.get("b"));
  }

  @Test
  void whatANumberThrowsLeavesEverythingAsItWas() {
    IllegalStateException broken = new IllegalStateException("broken");
    NumberCodec<String> throwing =
        new NumberCodec<>() {
          @Override
          public long toLong(String value) {
            throw broken;
          }

          @Override
          public String toValue(long number) {
            throw broken;
          }
        };
    batch.put("a", "1").increment("b", 1, throwing);
    assertSame(broken, assertThrows(RuntimeException.class, () -> map.writeAsync(batch)));
    assertEquals(Map.of(), map);
    assertNull(map.put("b", "1"), "nobody owns it");
  }

  @Test
  void aBatchCanBeSubmittedAgain() {
    batch.increment("n", 1, NumberCodec.decimal());
    map.writeAsync(batch).await();
    map.writeAsync(batch.increment("m", 1, NumberCodec.decimal())).await();
    assertEquals(Map.of("n", "2", "m", "1"), map);
  }

  @Test
  void aMapWithoutALogGivesVersionsToo() {
    try (Pensieve<String, String> plain = Pensieve.<String, String>builder().open()) {
      plain.writeAsync(batch.put("a", "1").put("b", "1"));
      long version = requireNonNull(plain.getVersioned("a")).version();
      AtomicBatch<String, String> next = new AtomicBatch<>();
      next.requireVersion("a", version).put("a", "2").remove("b");
      assertTrue(plain.writeAsync(next).await().applied());
      assertFalse(plain.writeAsync(next).await().applied());
      assertEquals(Map.of("a", "2"), plain);
    }
  }

  @Test
  void aFunctionOfAMapMustNotSubmitABatchForItsOwnKey() {
    batch.put("a", "1").put("b", "1");
    assertThrows(
        IllegalStateException.class,
        () -> map.compute("b", (key, value) -> String.valueOf(map.writeAsync(batch))));
    assertEquals(Map.of(), map);
    assertTrue(map.writeAsync(batch).applied());
  }

  @Test
  void aClosedMapRefusesBatches() {
    map.close();
    assertThrows(
        IllegalStateException.class, () -> map.writeAsync(batch.put("a", "1").put("b", "1")));
    assertEquals(Map.of(), map);
  }

  private Failure<String> refusalOf(AtomicBatch<String, String> refused) {
    return map.writeAsync(refused).await().failure().orElseThrow();
  }

  private long versionOf(String key) {
    return map.nodes().stream()
        .filter(node -> node.key().equals(key))
        .findAny()
        .orElseThrow()
        .version();
  }

  private List<String> keysColdestFirst() {
    List<String> keys = new ArrayList<>();
    map.coldestFirst().forEach(entry -> keys.add(entry.getKey()));
    return keys;
  }

  /** A log that takes one change at a time, as those may that others write. */
  private static final class SingleAppendLog implements Log<String, String> {
    private long sequence;

    @Override
    public RecoveryReport replay(ReplayHandler<String, String> handler) {
      return RecoveryReport.empty();
    }

    @Override
    public long append(Change<String, String> change) {
      return ++sequence;
    }

    @Override
    public void close() {}
  }
}
