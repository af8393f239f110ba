package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Lives that are extended, kept or ended by choice. */
final class TouchTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration DAY = Duration.ofDays(1);

  private final ManualClock clock = new ManualClock();
  private final RecordingLog<String, String> log = new RecordingLog<>();
  private final Pensieve<String, String> map =
      Pensieve.<String, String>builder()
          .maximumEntries(3)
          .clock(clock)
          .expireAfterWrite(DAY)
          .log(log)
          .open();

  @AfterEach
  void theLogHasTheSame() {
    assertEquals(log.fold(), map);
    map.close();
  }

  private Optional<Duration> remaining(String key) {
    return requireNonNull(map.getVersioned(key)).remaining(clock.instant());
  }

  @Test
  void aTouchedEntryLivesLonger() {
    map.put("a", "1", SECOND);
    clock.advance(999);
    assertTrue(map.touch("a", SECOND));
    clock.advance(999);
    assertEquals("1", map.get("a"));
    clock.advance(1);
    assertNull(map.get("a"));
    assertFalse(map.touch("a", SECOND));
    assertNull(map.get("a"));
  }

  @Test
  void aTouchIsAUseAndGivesANewVersion() {
    for (String key : new String[] {"a", "b", "c"}) {
      map.put(key, "1");
    }
    long before = requireNonNull(map.getVersioned("b")).version();
    map.get("c");
    PendingWrite<String> touch = map.writeAsync(Write.touch("a", TimeToLive.of(SECOND)));
    assertEquals("1", touch.previous());
    assertTrue(touch.version() > before);
    assertEquals(touch.version(), requireNonNull(map.getVersioned("a")).version());
    map.put("d", "1");
    assertTrue(map.containsKey("a"));
    assertFalse(map.containsKey("b"));
  }

  @Test
  void aTouchUnderAConditionAppliesToThatVersionOnly() {
    long version = map.writeAsync(Write.put("a", "1").ttl(SECOND)).version();
    Write.Touch<String, String> touch = Write.touch("a", TimeToLive.unlimited());
    assertFalse(map.writeAsync(touch.ifVersion(version + 1)).applied());
    assertEquals(Optional.of(SECOND), remaining("a"));
    assertTrue(map.writeAsync(touch.ifVersion(version)).applied());
    assertEquals(Optional.empty(), remaining("a"));
    assertFalse(map.writeAsync(touch.ifVersion(version)).applied());
  }

  @Test
  void aPutKeepsTheExpiryIfAskedTo() {
    map.put("a", "1", SECOND);
    clock.advance(400);
    map.writeAsync(Write.put("a", "2").ttl(TimeToLive.unchanged()));
    assertEquals(Optional.of(Duration.ofMillis(600)), remaining("a"));
    TimeToLive ofNew = TimeToLive.of(Duration.ofHours(1)).forNewEntries();
    map.writeAsync(Write.put("a", "3").ttl(ofNew));
    assertEquals(Optional.of(Duration.ofMillis(600)), remaining("a"));
    map.writeAsync(Write.put("b", "1").ttl(ofNew));
    assertEquals(Optional.of(Duration.ofHours(1)), remaining("b"));
    map.writeAsync(Write.put("c", "1").ttl(TimeToLive.unchanged()));
    assertEquals(Optional.of(DAY), remaining("c"));
    clock.advance(600);
    map.writeAsync(Write.put("a", "4").ttl(TimeToLive.unchanged()));
    assertEquals(Optional.of(DAY), remaining("a")); // it had expired
  }

  @Test
  void conditionsGoWithEveryTimeToLive() {
    Write.Put<String, String> put = Write.put("a", "1").ttl(TimeToLive.unlimited());
    PendingWrite<String> added = map.writeAsync(put.ifAbsent());
    assertTrue(added.applied());
    assertEquals(Optional.empty(), remaining("a"));
    assertFalse(map.writeAsync(put.ifAbsent()).applied());
    Write.Put<String, String> replace = Write.put("a", "2").ttl(TimeToLive.of(SECOND));
    assertTrue(map.writeAsync(replace.ifVersion(added.version())).applied());
    assertFalse(map.writeAsync(replace.ifVersion(added.version())).applied());
    assertEquals(Optional.of(SECOND), remaining("a"));
  }

  @Test
  void anIncrementHasALifeByChoice() {
    TimeToLive window = TimeToLive.of(SECOND).forNewEntries();
    for (int i = 1; i <= 3; i++) {
      assertEquals(i, map.incrementAsync("n", 1, NumberCodec.decimal(), window).join().value());
      clock.advance(300);
    }
    assertEquals(Optional.of(Duration.ofMillis(100)), remaining("n"));
    clock.advance(100);
    assertEquals(1, map.incrementAsync("n", 1, NumberCodec.decimal(), window).join().value());
    map.incrementAsync("n", 1, NumberCodec.decimal(), TimeToLive.unlimited()).join();
    assertEquals(Optional.empty(), remaining("n"));
  }

  @Test
  void aLifeIsLongerThanNothing() {
    map.put("a", "1");
    assertThrows(IllegalArgumentException.class, () -> map.touch("a", Duration.ZERO));
    assertThrows(IllegalArgumentException.class, () -> map.touch("a", SECOND.negated()));
  }
}
