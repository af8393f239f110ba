package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.LogException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Prices from a slow service: nobody waits for a newer one, and no old one stays for long. */
@Timeout(120)
class RefreshTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration HOUR = Duration.ofHours(1);

  private final SilencedLogger silenced = new SilencedLogger();
  private final ManualClock clock = new ManualClock();
  private final Queue<Runnable> reloads = new ArrayDeque<>(); // those that have not begun
  private RecordingLog<String, Integer> log = new RecordingLog<>();
  private @Nullable Integer price = 101; // what the service says
  private Pensieve<String, Integer> map = open(new PensieveBuilder<>());

  private Pensieve<String, Integer> open(PensieveBuilder<String, Integer> builder) {
    return builder
        .refreshAfterWrite(MINUTE, (item, old) -> price)
        .refreshExecutor(reloads::add)
        .recordStatistics()
        .clock(clock)
        .log(log)
        .open();
  }

  private void reopen(PensieveBuilder<String, Integer> builder) {
    map.close();
    log = log.reopened();
    map = open(builder);
  }

  private void reload() {
    requireNonNull(reloads.poll()).run();
  }

  @AfterEach
  void theLogHasTheSame() {
    silenced.close();
    assertEquals(map, log.fold()); // in this order it reads nothing
    map.close();
  }

  @Test
  void anOldValueIsReturnedAtOnceAndReloadedOnce() {
    map.put("gold", 100);
    clock.advance(MINUTE.minusMillis(1));
    assertEquals(100, map.get("gold"));
    assertEquals(0, reloads.size(), "not old yet");
    clock.advance(1);
    assertEquals(100, map.get("gold"));
    assertEquals(100, map.get("gold"));
    assertEquals(1, reloads.size(), "one for all who read");
    reload();
    assertEquals(101, map.get("gold"));
    assertEquals(0, reloads.size());
    assertEquals(new Change.Put<>("gold", 101), log.history().get(1));
    clock.advance(MINUTE);
    price = 102;
    map.get("gold");
    reload();
    assertEquals(102, map.peek("gold"), "and again after a minute");
    assertEquals(2, map.statistics().loads());
    assertNull(map.get("silver"), "what is missing is not loaded");
    assertEquals(0, reloads.size());
  }

  /** A key that may do something when it is looked for. */
  private record Meddler(String name, Queue<Runnable> actions) {
    @Override
    public int hashCode() {
      Runnable action = actions.poll();
      if (action != null) {
        action.run();
      }
      return name.hashCode();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Meddler key && key.name.equals(name);
    }
  }

  @Test
  void aReadThatComesAsAReloadEndsStartsNoOther() {
    try (Pensieve<Meddler, Integer> meddled =
        Pensieve.<Meddler, Integer>builder()
            .refreshAfterWrite(MINUTE, (item, old) -> price)
            .refreshExecutor(reloads::add)
            .clock(clock)
            .open()) {
      Meddler held = new Meddler("gold", new ArrayDeque<>());
      meddled.put(held, 100);
      clock.advance(MINUTE);
      Meddler gold = new Meddler("gold", new ArrayDeque<>());
      assertEquals(100, meddled.get(gold));
      held.actions().add(requireNonNull(reloads.poll())); // once the next read has found it old
      assertEquals(100, meddled.get(gold));
      assertEquals(0, held.actions().size());
      assertEquals(101, meddled.get(gold));
      assertEquals(0, reloads.size());
    }
  }

  static Stream<Consumer<Pensieve<String, Integer>>> reads() {
    return Stream.of(
        map -> map.get("gold"),
        map -> map.getOrDefault("gold", 0),
        map -> map.getVersioned("gold"),
        map -> map.getAsync("gold"),
        map -> map.get("gold", item -> 7),
        map -> map.getAll(List.of("gold"), items -> Map.of()),
        map -> map.computeIfAbsent("gold", item -> 7));
  }

  @ParameterizedTest
  @MethodSource("reads")
  void whateverReadsRefreshes(Consumer<Pensieve<String, Integer>> read) {
    map.put("gold", 100);
    clock.advance(MINUTE);
    read.accept(map);
    reload();
    assertEquals(101, map.peek("gold"));
  }

  @Test
  void whatIsNoUseDoesNotRefresh() {
    map.put("gold", 100);
    clock.advance(MINUTE);
    assertEquals(100, map.peek("gold"));
    assertTrue(map.containsKey("gold"));
    assertTrue(map.containsValue(100));
    assertEquals(Map.of("gold", 100), Map.copyOf(map));
    map.versionedEntries().forEach(entry -> assertEquals("gold", entry.getKey()));
    assertEquals(0, reloads.size());
  }

  static Stream<Consumer<Pensieve<String, Integer>>> writes() {
    return Stream.of(
        map -> map.put("gold", 100), // the same object
        map -> map.put("gold", 7, HOUR),
        map -> map.putAsync("gold", 7),
        map -> map.putAll(Map.of("gold", 7)),
        map -> map.replace("gold", 7),
        map -> map.compute("gold", (item, old) -> 7),
        map -> map.merge("gold", 7, Integer::sum),
        map -> map.replaceAll((item, old) -> 7),
        map -> map.entrySet().forEach(entry -> entry.setValue(7)),
        map -> map.writeAsync(Write.put("gold", 7).ttl(TimeToLive.unchanged())),
        map -> map.writeAsync(new AtomicBatch<String, Integer>().put("gold", 7)),
        map ->
            map.writeAsync(
                new AtomicBatch<String, Integer>()
                    .put("gold", 7)
                    .touch("gold", TimeToLive.of(HOUR))));
  }

  @ParameterizedTest
  @MethodSource("writes")
  void whatIsWrittenIsYoung(Consumer<Pensieve<String, Integer>> write) {
    map.put("gold", 100);
    clock.advance(MINUTE);
    write.accept(map);
    clock.advance(MINUTE.minusMillis(1));
    map.get("gold");
    assertEquals(0, reloads.size());
    clock.advance(1);
    map.get("gold");
    assertEquals(1, reloads.size());
  }

  static Stream<Consumer<Pensieve<String, Integer>>> touches() {
    return Stream.of(
        map -> map.touch("gold", HOUR),
        map -> map.writeAsync(Write.touch("gold", TimeToLive.of(HOUR))),
        map ->
            map.writeAsync(
                new AtomicBatch<String, Integer>().touch("gold", TimeToLive.unlimited())));
  }

  @ParameterizedTest
  @MethodSource("touches")
  void aLongerLifeMakesAValueNoYounger(Consumer<Pensieve<String, Integer>> touch) {
    map.put("gold", 100);
    clock.advance(MINUTE);
    touch.accept(map);
    map.get("gold");
    assertEquals(1, reloads.size());
  }

  @Test
  void neitherDoReadsThatExtendALife() {
    reopen(new PensieveBuilder<String, Integer>().expireAfterAccess(MINUTE));
    map.put("gold", 100);
    for (int i = 0; i < 6; i++) {
      assertEquals(0, reloads.size());
      clock.advance(10_000);
      assertEquals(100, map.get("gold"));
    }
    assertTrue(log.history().size() > 3, "they have been logged");
    reload();
    assertEquals(101, map.peek("gold"));
  }

  static Stream<Consumer<Pensieve<String, Integer>>> rivals() {
    return Stream.of(
        map -> map.put("gold", 100), // the same object
        map -> map.put("gold", 7),
        map -> map.remove("gold"),
        map -> map.touch("gold", HOUR),
        map -> {
          map.remove("gold");
          map.put("gold", 7);
        });
  }

  @ParameterizedTest
  @MethodSource("rivals")
  void aReloadThatComesLateChangesNothing(Consumer<Pensieve<String, Integer>> rival) {
    map.put("gold", 100);
    clock.advance(MINUTE);
    map.get("gold");
    rival.accept(map);
    Map<String, Integer> left = Map.copyOf(map);
    int changes = log.history().size();
    reload();
    assertEquals(left, Map.copyOf(map));
    assertEquals(changes, log.history().size());
  }

  @Test
  void aFailedReloadKeepsTheOldValueAndTheNextReadTriesAgain() {
    map.close();
    log = log.reopened();
    map =
        Pensieve.<String, Integer>builder()
            .refreshAfterWrite(MINUTE, (item, old) -> 100 / (requireNonNull(price) - 101))
            .refreshExecutor(Runnable::run)
            .recordStatistics()
            .clock(clock)
            .log(log)
            .open();
    map.put("gold", 100);
    clock.advance(MINUTE);
    assertEquals(100, map.get("gold"), "the service divides by zero");
    assertEquals(100, map.get("gold"));
    assertEquals(2, map.statistics().loadFailures());
    price = 102;
    assertEquals(100, map.get("gold"));
    assertEquals(2, map.statistics().loadFailures());
    assertEquals(1, map.statistics().loads());
    assertTrue(map.statistics().loadTime().toNanos() > 0);
    map.put("gold", 7);
    clock.advance(MINUTE);
    assertEquals(8, map.compute("gold", (item, now) -> requireNonNull(map.get("gold")) + 1));
  }

  @Test
  void anExecutorThatRefusesFailsNoRead() {
    map.close();
    log = log.reopened();
    map =
        Pensieve.<String, Integer>builder()
            .refreshAfterWrite(MINUTE, (item, old) -> price)
            .refreshExecutor(
                reload -> {
                  throw new RejectedExecutionException("shut down");
                })
            .recordStatistics()
            .clock(clock)
            .log(log)
            .open();
    map.put("gold", 100);
    clock.advance(MINUTE);
    assertEquals(100, map.get("gold"));
    assertEquals(100, map.get("gold"));
    assertEquals(2, map.statistics().loadFailures());
  }

  @Test
  void whatTheServiceNoLongerHasIsRemoved() {
    map.put("gold", 100);
    clock.advance(MINUTE);
    assertEquals(100, map.get("gold"));
    price = null;
    reload();
    assertNull(map.get("gold"));
    assertEquals(new Change.Remove<>("gold"), log.history().get(1));
    assertEquals(1, map.statistics().loadFailures());
  }

  @Test
  void afterARestartTheFirstReadRefreshes() {
    map.put("gold", 100);
    map.put("silver", 50, HOUR);
    reopen(new PensieveBuilder<>());
    assertEquals(100, map.get("gold"));
    assertEquals(50, map.get("silver"));
    assertEquals(2, reloads.size());
    reload();
    reload();
    assertEquals(Map.of("gold", 101, "silver", 101), Map.copyOf(map));
    map.get("gold");
    map.get("silver");
    assertEquals(0, reloads.size());
    reopen(new PensieveBuilder<>());
    map.put("gold", 7);
    map.put("silver", 8);
    map.get("gold");
    map.get("silver");
    assertEquals(0, reloads.size(), "a put of a restored entry makes it young");
  }

  @Test
  void aReloadedValueLivesAnew() {
    reopen(new PensieveBuilder<String, Integer>().expireAfterWrite(MINUTE.plus(SECOND)));
    map.put("gold", 100);
    map.put("silver", 50, HOUR);
    clock.advance(MINUTE);
    map.get("gold");
    map.get("silver");
    reload();
    reload();
    clock.advance(MINUTE);
    assertEquals(101, map.peek("gold"));
    clock.advance(SECOND);
    assertNull(map.peek("gold"));
    clock.advance(HOUR.minus(MINUTE.multipliedBy(3)));
    assertEquals(101, map.peek("silver"), "its own life is kept");
    clock.advance(MINUTE);
    assertNull(map.peek("silver"));
    map.cleanUp();
  }

  @Test
  void aLogThatRefusesKeepsTheOldValue() {
    map.put("gold", 100);
    clock.advance(MINUTE);
    map.get("gold");
    log.refuse(new LogException.Full("no space"));
    reload();
    assertEquals(100, map.get("gold"));
    log.refuse(null);
    reload();
    assertEquals(101, map.get("gold"));
    map.put("silver", 100);
    clock.advance(MINUTE);
    map.get("silver");
    map.close();
    reload();
    assertEquals(100, map.peek("silver"), "and so does a map that was closed meanwhile");
  }

  @Test
  void aStandbyReloadsNothingUntilItLeads() {
    FakeReplicatedLog<String, Integer> leader = new FakeReplicatedLog<>();
    try (Pensieve<String, Integer> standby =
        Pensieve.<String, Integer>builder()
            .refreshAfterWrite(MINUTE, (item, old) -> price)
            .refreshExecutor(reloads::add)
            .clock(clock)
            .log(leader)
            .open()) {
      leader.apply(10, new Change.Put<>("gold", 100));
      clock.advance(HOUR);
      assertEquals(100, standby.get("gold"));
      assertEquals(0, reloads.size());
      leader.lead(100);
      assertEquals(100, standby.get("gold"));
      reload(); // and waits for no acknowledgement
      leader.acknowledgeAll();
      assertEquals(101, standby.get("gold"));
      clock.advance(HOUR);
      price = 102;
      assertEquals(101, standby.get("gold"));
      leader.lose();
      reload();
      assertEquals(101, standby.get("gold"), "it leads no longer");
    }
  }

  @Test
  void anAgeMustBePositive() {
    var builder = Pensieve.<String, Integer>builder();
    assertThrows(
        IllegalArgumentException.class,
        () -> builder.refreshAfterWrite(Duration.ZERO, (item, old) -> old));
  }

  @Test
  void aMapThatDoesNotRefreshReadsNoClock() {
    AtomicInteger looks = new AtomicInteger();
    try (Pensieve<String, Integer> plain =
        Pensieve.<String, Integer>builder()
            .clock(
                () -> {
                  looks.incrementAndGet();
                  return clock.instant();
                })
            .open()) {
      looks.set(0);
      plain.put("gold", 100);
      plain.put("gold", 101);
      assertEquals(101, plain.get("gold"));
      assertEquals(Optional.empty(), requireNonNull(plain.getVersioned("gold")).expiry());
      assertEquals(0, looks.get());
    }
  }
}
