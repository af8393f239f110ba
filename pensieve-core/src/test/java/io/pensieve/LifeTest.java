package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pensieve.log.LogException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How long an entry lives that is changed and read: a session, above all. */
class LifeTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration HOUR = Duration.ofHours(1);

  private final ManualClock clock = new ManualClock();
  private RecordingLog<String, String> log = new RecordingLog<>();
  private Pensieve<String, String> map = open(new PensieveBuilder<>());

  private Pensieve<String, String> open(PensieveBuilder<String, String> builder) {
    return builder.clock(clock).log(log).open();
  }

  private void reopen(PensieveBuilder<String, String> builder) {
    map.close();
    log = log.reopened();
    map = open(builder);
  }

  @AfterEach
  void theLogHasTheSame() {
    map.cleanUp();
    assertEquals(log.fold(), map);
    map.close();
  }

  private Optional<Duration> remaining(String key) {
    for (Map.Entry<String, Versioned<String>> entry : map.versionedEntries()) {
      if (entry.getKey().equals(key)) {
        return entry.getValue().remaining(clock.instant());
      }
    }
    throw new AssertionError("no entry " + key);
  }

  static Stream<Consumer<Pensieve<String, String>>> changesOfAValue() {
    return Stream.of(
        map -> map.compute("session", (key, value) -> value + "!"),
        map -> map.computeIfPresent("session", (key, value) -> value + "!"),
        map -> map.merge("session", "!", String::concat),
        map -> map.replaceAll((key, value) -> value + "!"),
        map -> map.entrySet().forEach(entry -> entry.setValue(entry.getValue() + "!")));
  }

  @ParameterizedTest
  @MethodSource("changesOfAValue")
  void aSessionDoesNotBecomeImmortalWhenItsValueChanges(Consumer<Pensieve<String, String>> change) {
    map.put("session", "s", MINUTE);
    clock.advance(SECOND);
    change.accept(map);
    assertEquals("s!", map.get("session"));
    assertEquals(Optional.of(MINUTE.minus(SECOND)), remaining("session"));
    clock.advance(MINUTE);
    assertNull(map.get("session"));
  }

  @ParameterizedTest
  @MethodSource("changesOfAValue")
  void whereEntriesExpireAfterAWriteAChangeIsOneButShortensNoLife(
      Consumer<Pensieve<String, String>> change) {
    reopen(Pensieve.<String, String>builder().expireAfterWrite(MINUTE));
    map.put("session", "s");
    clock.advance(SECOND);
    change.accept(map);
    assertEquals(Optional.of(MINUTE), remaining("session"));
    map.put("session", "s", HOUR);
    clock.advance(SECOND);
    change.accept(map);
    assertEquals(Optional.of(HOUR.minus(SECOND)), remaining("session"));
    map.put("session", "s");
    assertEquals(Optional.of(MINUTE), remaining("session"), "a put begins anew");
  }

  static Stream<Consumer<Pensieve<String, String>>> putsWithoutALife() {
    return Stream.of(
        map -> map.put("session", "new"),
        map -> map.putAsync("session", "new"),
        map -> map.replace("session", "new"),
        map -> map.writeAsync(Write.put("session", "new")),
        map -> map.writeAsync(new AtomicBatch<String, String>().put("session", "new")));
  }

  @ParameterizedTest
  @MethodSource("putsWithoutALife")
  void aPutWithoutALifeGivesTheEntryThatOfTheMap(Consumer<Pensieve<String, String>> put) {
    map.put("session", "s", MINUTE);
    put.accept(map);
    assertEquals("new", map.get("session"));
    assertEquals(Optional.empty(), remaining("session"), "no end");
    reopen(Pensieve.<String, String>builder().expireAfterWrite(MINUTE));
    map.put("session", "s", HOUR);
    put.accept(map);
    assertEquals(Optional.of(MINUTE), remaining("session"));
  }

  @Test
  void anEntryThatIsReadLivesOnAndTheLogIsHardlyWritten() {
    reopen(Pensieve.<String, String>builder().expireAfterAccess(MINUTE));
    map.put("read", "1");
    map.put("unread", "1");
    map.put("long", "1", HOUR);
    for (int i = 0; i < 600; i++) {
      clock.advance(100);
      assertEquals("1", map.get("read"));
      map.peek("unread");
      map.get("long");
    }
    assertNull(map.get("unread"));
    assertEquals(Optional.of(HOUR.minus(MINUTE)), remaining("long"));
    Duration left = remaining("read").orElseThrow();
    assertEquals(1, left.compareTo(MINUTE.multipliedBy(7).dividedBy(8).minusMillis(1)));
    long writes = log.history().stream().filter(change -> change.key().equals("read")).count();
    assertEquals(8, writes, "one, and one for each time that an eighth of its life was over");

    reopen(Pensieve.<String, String>builder().expireAfterAccess(MINUTE));
    assertEquals(Optional.of(left), remaining("read"), "as the log has it");
    clock.advance(left);
    assertNull(map.get("read"));
  }

  @Test
  void everyReadThatIsAUseExtendsALifeAndShowsAVersionThatIsCurrent() {
    reopen(Pensieve.<String, String>builder().expireAfterAccess(MINUTE));
    List<Consumer<String>> reads =
        List.of(
            map::get,
            key -> map.getOrDefault(key, "0"),
            key -> map.computeIfAbsent(key, any -> "0"),
            key -> map.get(key, any -> "0"),
            key -> map.getAll(List.of(key), any -> Map.of()),
            key -> {
              long shown = requireNonNull(map.getAsync(key).entry()).version();
              assertEquals(true, map.replaceIfVersion(key, shown, "1"));
            },
            key -> {
              long shown = requireNonNull(map.getVersioned(key)).version();
              assertEquals(true, map.replaceIfVersion(key, shown, "1"));
            });
    for (Consumer<String> read : reads) {
      map.put("a", "1");
      clock.advance(SECOND.multipliedBy(30));
      read.accept("a");
      assertEquals(Optional.of(MINUTE), remaining("a"));
    }
    clock.advance(SECOND.multipliedBy(30));
    assertEquals(true, map.containsKey("a"));
    assertEquals("1", map.peek("a"));
    assertEquals(Optional.of(SECOND.multipliedBy(30)), remaining("a"));
  }

  @Test
  void aReadNeverFailsBecauseItCannotExtendALife() {
    reopen(Pensieve.<String, String>builder().expireAfterAccess(MINUTE));
    map.put("a", "1");
    map.put("b", "1");
    clock.advance(SECOND.multipliedBy(30));
    map.compute("b", (key, value) -> value + map.get("a"));
    log.refuse(new LogException.Failed("the disk is gone", null));
    assertEquals("1", map.get("a"));
    log.refuse(null);
    assertEquals(Optional.of(SECOND.multipliedBy(30)), remaining("a"));
    assertEquals("11", map.get("b"));
  }

  @Test
  void eachEntryMayHaveALifeOfItsOwn() {
    reopen(
        Pensieve.<String, String>builder()
            .expireAfter(
                new Expiry<String, String>() {
                  @Override
                  public Duration afterCreate(String key, String value) {
                    return value.equals("forever") ? FOREVER : Duration.ofSeconds(value.length());
                  }

                  @Override
                  public Duration afterUpdate(String key, String value, Duration remaining) {
                    return key.equals("sum") ? remaining.plus(SECOND) : remaining;
                  }

                  @Override
                  public Duration afterRead(String key, String value, Duration remaining) {
                    return key.equals("once") ? Duration.ofMillis(1) : remaining;
                  }
                }));
    map.put("a", "12345");
    assertEquals(Optional.of(SECOND.multipliedBy(5)), remaining("a"));
    clock.advance(SECOND);
    map.put("a", "1");
    assertEquals(Optional.of(SECOND.multipliedBy(4)), remaining("a"));
    map.put("a", "1", HOUR);
    assertEquals(Optional.of(HOUR), remaining("a"), "the writer's wins");
    map.put("b", "forever");
    map.put("b", "1");
    assertEquals(Optional.empty(), remaining("b"));
    map.merge("sum", "1", String::concat);
    map.merge("sum", "1", String::concat);
    assertEquals(Optional.of(SECOND.multipliedBy(2)), remaining("sum"));
    map.writeAsync(
        new AtomicBatch<String, String>().put("sum", "1").put("sum", "2").put("c", "123"));
    assertEquals(Optional.of(SECOND.multipliedBy(4)), remaining("sum"));
    assertEquals(Optional.of(SECOND.multipliedBy(3)), remaining("c"));
    map.put("once", "123");
    assertEquals("123", map.get("once"));
    clock.advance(1);
    assertNull(map.get("once"));
  }

  @Test
  void theLastSettingOfHowLongEntriesLiveWins() {
    reopen(Pensieve.<String, String>builder().expireAfterAccess(HOUR).expireAfterWrite(MINUTE));
    map.put("a", "1");
    clock.advance(SECOND);
    map.get("a");
    assertEquals(Optional.of(MINUTE.minus(SECOND)), remaining("a"));
    map.writeAsync(Write.put("a", "2"));
    assertEquals(Optional.of(MINUTE), remaining("a"), "a put without a life has the map's");
    PensieveBuilder<String, String> builder = Pensieve.builder();
    assertThrows(IllegalArgumentException.class, () -> builder.expireAfterAccess(Duration.ZERO));
    assertNotEquals(Optional.empty(), remaining("a"));
  }
}
