package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.LogException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Entries whose time is over: nobody sees them, and they go by themselves. */
@Timeout(120)
class ExpiryTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration DAY = Duration.ofDays(1);

  private final Set<Thread> before = Thread.getAllStackTraces().keySet();
  private final ManualClock clock = new ManualClock();
  private final ExecutorService others = Executors.newCachedThreadPool();
  private RecordingLog<String, String> log = new RecordingLog<>();
  private Pensieve<String, String> map = open();

  private Pensieve<String, String> open() {
    return Pensieve.<String, String>builder().maximumEntries(100).clock(clock).log(log).open();
  }

  @AfterEach
  void close() {
    others.shutdownNow();
    map.close();
  }

  @Test
  void anEntryIsThereUntilItsTimeIsOverAndNotAMillisecondLonger() {
    map.put("a", "1", SECOND);
    clock.advance(999);
    assertEquals("1", map.get("a"));
    clock.advance(1);
    assertNull(map.get("a"));
  }

  @Test
  void noMethodNoViewAndNoIteratorShowsWhatHasExpired() {
    map.put("a", "1", SECOND);
    map.put("b", "2");
    clock.advance(SECOND);
    assertNull(map.get("a"));
    assertNull(map.getVersioned("a"));
    assertEquals("other", map.getOrDefault("a", "other"));
    assertFalse(map.containsKey("a"));
    assertFalse(map.containsValue("1"));
    assertFalse(map.keySet().contains("a"));
    assertFalse(map.entrySet().contains(Map.entry("a", "1")));
    assertEquals(List.of("b"), List.copyOf(map.keySet()));
    assertEquals(List.of("2"), List.copyOf(map.values()));
    assertEquals(List.of(Map.entry("b", "2")), List.copyOf(map.entrySet()));
    assertEquals("b", map.coldestFirst().iterator().next().getKey());
    assertEquals("b", map.hottestFirst().iterator().next().getKey());
    assertEquals("{b=2}", new HashMap<>(map).toString());
  }

  @Test
  void noConditionHoldsForWhatHasExpired() {
    List<Runnable> writes =
        List.of(
            () -> assertNull(map.putIfAbsent("a", "2")),
            () -> assertTrue(map.writeAsync(Write.put("a", "2").ifAbsent()).applied()),
            () -> assertNull(map.replace("a", "2")),
            () -> assertFalse(map.replace("a", "1", "2")),
            () -> assertFalse(map.remove("a", "1")),
            () -> assertNull(map.remove("a")),
            () -> assertNull(map.put("a", "2")),
            () -> assertNull(map.computeIfPresent("a", (key, value) -> "2")),
            () -> assertEquals("2", map.computeIfAbsent("a", key -> "2")),
            () -> assertEquals("2", map.merge("a", "2", String::concat)),
            () -> assertEquals("null2", map.compute("a", (key, value) -> value + "2")));
    for (Runnable write : writes) {
      map.put("a", "1", SECOND);
      clock.advance(SECOND);
      write.run();
      assertEquals(log.fold(), map);
      map.remove("a");
    }
    long version = map.writeAsync(Write.put("a", "1").ttl(SECOND)).version();
    clock.advance(SECOND);
    assertFalse(map.replaceIfVersion("a", version, "2"));
    assertFalse(map.removeIfVersion("a", version));
  }

  @Test
  void aNewValueHasALifeOfItsOwn() {
    map.put("a", "1", SECOND);
    map.put("a", "2");
    clock.advance(SECOND);
    assertEquals("2", map.get("a"), "put without a time: for ever");
    map.put("a", "3", DAY);
    map.put("a", "4", SECOND);
    clock.advance(SECOND);
    map.cleanUp();
    assertEquals(Map.of(), log.fold(), "put with a shorter one");
  }

  @Test
  void theDefaultLifeIsThatOfEveryWrite() {
    try (Pensieve<String, String> all =
        Pensieve.<String, String>builder().expireAfterWrite(SECOND).clock(clock).open()) {
      all.put("put", "1");
      all.putIfAbsent("putIfAbsent", "1");
      all.computeIfAbsent("computeIfAbsent", key -> "1");
      all.compute("compute", (key, value) -> "1");
      all.merge("merge", "1", String::concat);
      all.putAsync("submitPut", "1");
      all.writeAsync(Write.put("submitPutIfAbsent", "1").ifAbsent());
      all.put("longer", "1", SECOND.plusMillis(1));
      all.put("for ever", "1", ChronoUnit.FOREVER.getDuration());
      assertEquals(9, all.size());
      clock.advance(999);
      all.replaceIfVersion("put", requireNonNull(all.getVersioned("put")).version(), "2");
      all.replace("merge", "2");
      all.replace("compute", "1", "2");
      all.entrySet().stream()
          .filter(entry -> entry.getKey().equals("submitPut"))
          .forEach(entry -> entry.setValue("2"));
      clock.advance(1);
      assertEquals(
          List.of("longer", "for ever", "put", "merge", "compute", "submitPut"), keys(all));
      clock.advance(DAY);
      assertEquals(List.of("for ever"), keys(all));
    }
  }

  private static List<String> keys(Pensieve<String, String> map) {
    List<String> keys = new ArrayList<>();
    map.coldestFirst().forEach(entry -> keys.add(entry.getKey()));
    return keys;
  }

  @Test
  void theTimeThatRemainsCanBeRead() {
    map.put("a", "1", SECOND);
    map.put("b", "1");
    clock.advance(400);
    Versioned<String> read = requireNonNull(map.getVersioned("a"));
    assertEquals(Optional.of(Duration.ofMillis(600)), read.remaining(clock.instant()));
    assertEquals(Optional.of(Duration.ZERO), read.remaining(clock.instant().plus(DAY)));
    assertEquals(Optional.of(clock.instant().plusMillis(600)), read.expiry());
    assertEquals(
        Optional.empty(), requireNonNull(map.getVersioned("b")).remaining(clock.instant()));
  }

  @Test
  void aLifeMustBePositiveAndMayBeLongerThanTime() {
    for (Duration ttl : List.of(Duration.ZERO, SECOND.negated())) {
      assertThrows(IllegalArgumentException.class, () -> map.put("a", "1", ttl));
      assertThrows(
          IllegalArgumentException.class, () -> map.writeAsync(Write.put("a", "1").ttl(ttl)));
      assertThrows(IllegalArgumentException.class, () -> Pensieve.builder().expireAfterWrite(ttl));
    }
    assertEquals(Map.of(), map);
    List<Duration> forEver =
        List.of(
            ChronoUnit.FOREVER.getDuration(),
            Duration.ofMillis(Long.MAX_VALUE),
            Duration.ofMillis(Long.MAX_VALUE - clock.millis() + 1));
    for (Duration ttl : forEver) {
      map.put("a", "1", ttl);
      assertEquals(Optional.empty(), requireNonNull(map.getVersioned("a")).expiry());
    }
    map.put("a", "1", Duration.ofNanos(1));
    assertEquals("1", map.get("a"), "rounded up to a millisecond");
    clock.advance(1);
    assertNull(map.get("a"));
  }

  @Test
  void theRemovalOfWhatHasExpiredIsLogged() {
    map.put("a", "1", SECOND);
    map.put("b", "2", DAY);
    clock.advance(SECOND);
    map.cleanUp();
    assertEquals(
        List.of(
            new Change.Put<>("a", "1", clock.millis()),
            new Change.Put<>("b", "2", clock.millis() - 1000 + DAY.toMillis()),
            new Change.Remove<String, String>("a")),
        log.history());
    assertEquals(1, map.size());
  }

  @Test
  void whatHasExpiredGoesByItself() {
    for (int i = 0; i < 50; i++) {
      map.put("k" + i, "1", Duration.ofMillis(i + 1));
    }
    clock.advance(50);
    assertEquals(0, map.size());
    while (!log.fold().isEmpty()) {
      Thread.onSpinWait();
    }
  }

  @Test
  void theThreadIsADaemonThatNoInterruptEndsAndCloseDoes() throws Exception {
    map.put("a", "1", SECOND);
    Thread expirer = expirer();
    assertTrue(expirer.isDaemon());
    expirer.interrupt();
    clock.advance(SECOND);
    while (map.size() > 0) {
      assertTrue(expirer.isAlive());
    }
    map.close();
    expirer.join();
  }

  @Test
  void aMapWhoseEntriesDoNotExpireHasNoThread() {
    map.put("a", "1");
    map.put("a", "1", ChronoUnit.FOREVER.getDuration());
    assertTrue(Thread.getAllStackTraces().keySet().stream().noneMatch(this::isOurs));
  }

  private Thread expirer() {
    while (true) {
      List<Thread> ours =
          Thread.getAllStackTraces().keySet().stream().filter(this::isOurs).toList();
      if (ours.size() == 1) {
        return ours.get(0);
      }
    }
  }

  private boolean isOurs(Thread thread) {
    return thread.getName().equals("pensieve-expiry-reaper") && !before.contains(thread);
  }

  @Test
  void aSlowFunctionHoldsUpNoOtherKeysExpiry() throws Exception {
    map.put("slow", "1", SECOND);
    map.put("a", "1", SECOND.plusMillis(1));
    CountDownLatch started = new CountDownLatch(1);
    CompletableFuture<String> result = new CompletableFuture<>();
    Future<?> slow =
        others.submit(
            () ->
                map.compute(
                    "slow",
                    (key, value) -> {
                      started.countDown();
                      return result.join();
                    }));
    started.await();
    clock.advance(DAY);
    map.cleanUp();
    assertEquals(Map.of("slow", "1"), log.fold());
    assertEquals(0, map.size());
    assertNull(map.get("slow"), "expired while it is being computed");
    result.complete("2");
    slow.get();
    map.cleanUp();
    assertEquals(Map.of(), map, "a change revives no entry");
    assertEquals(log.fold(), map);
  }

  @Test
  void whatAFunctionLeavesToExpireAfterAllExpires() throws Exception {
    map.put("a", "1", SECOND);
    CountDownLatch started = new CountDownLatch(1);
    CompletableFuture<String> result = new CompletableFuture<>();
    Future<?> slow =
        others.submit(
            () ->
                assertThrows(
                    RuntimeException.class,
                    () ->
                        map.compute(
                            "a",
                            (key, value) -> {
                              started.countDown();
                              return result.join();
                            })));
    started.await();
    clock.advance(SECOND);
    map.cleanUp();
    result.completeExceptionally(new IllegalStateException("no value"));
    slow.get();
    map.cleanUp();
    assertEquals(Map.of(), log.fold());
    assertEquals(0, map.size());
  }

  @Test
  void aFunctionThatWritesToItsOwnExpiredKeyIsRefused() {
    map.put("a", "1", SECOND);
    assertThrows(
        IllegalStateException.class,
        () ->
            map.compute(
                "a",
                (key, value) -> {
                  clock.advance(SECOND);
                  return map.put("a", "2");
                }));
    assertNull(map.get("a"));
    map.cleanUp();
    assertEquals(0, map.size());
  }

  @Test
  void aLogThatRefusesRemovalsGetsThemLater() {
    map.put("a", "1", SECOND);
    log.refuse(new LogException.Full("no room"));
    clock.advance(SECOND);
    assertThrows(LogException.Full.class, map::cleanUp);
    assertNull(map.get("a"));
    assertFalse(map.containsKey("a"));
    log.refuse(null);
    map.cleanUp();
    assertEquals(0, map.size());
    assertEquals(Map.of(), log.fold());
  }

  @Test
  void aRestartNeitherRevivesNorShortens() {
    map.put("a", "1", SECOND);
    map.put("b", "2", SECOND.plusMillis(1));
    map.put("c", "3");
    map.close();
    clock.advance(SECOND);
    log = log.reopened();
    map = open();
    assertEquals(2, map.size(), "removed before anyone can count it");
    assertEquals(Map.of("b", "2", "c", "3"), Map.copyOf(map));
    assertEquals(new Change.Remove<String, String>("a"), log.history().get(3));
    clock.advance(1);
    assertNull(map.get("b"));
    map.cleanUp();
    assertEquals(Map.of("c", "3"), log.fold());
  }

  @Test
  void aClockThatIsSetBackMakesEntriesLiveLonger() {
    map.put("a", "1", SECOND);
    clock.advance(DAY.negated());
    map.put("b", "1", SECOND);
    clock.advance(SECOND);
    map.cleanUp();
    assertEquals(List.of("a"), keys(map));
    clock.advance(DAY);
    map.cleanUp();
    assertEquals(0, map.size());
  }
}
