package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import io.pensieve.log.file.FileLog;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A value and its version are read in one, and a write can depend on a version. */
@Timeout(120)
class VersionedWriteTest {
  private static final int THREADS = 8;
  private final RecordingLog<String, String> log = new RecordingLog<>();
  private final Pensieve<String, String> map =
      Pensieve.<String, String>builder().maximumEntries(2).log(log).open();

  @Test
  void aValueIsReadWithTheVersionOfItsWrite() {
    assertNull(map.getVersioned("a"));
    long version = map.putAsync("a", "1").version();
    assertEquals(new Versioned<>("1", version, Optional.empty()), map.getVersioned("a"));
    assertEquals("1", map.remove("a"));
    assertNull(map.getVersioned("a"));
  }

  @Test
  void aVersionedReadIsAUse() {
    map.put("a", "1");
    map.put("b", "1");
    map.getVersioned("a");
    map.put("c", "1");
    assertEquals(List.of("a", "c"), List.copyOf(log.fold().keySet()));
  }

  @Test
  void aValueIsReplacedIfItStillHasTheVersion() {
    long first = map.putAsync("a", "1").version();
    assertTrue(map.replaceIfVersion("a", first, "2"));
    assertFalse(map.replaceIfVersion("a", first, "3"));
    assertEquals("2", map.get("a"));
  }

  @Test
  void aKeyIsRemovedIfItStillHasTheVersion() {
    long first = map.putAsync("a", "1").version();
    map.put("a", "1");
    assertFalse(map.removeIfVersion("a", first), "the same value, written again");
    assertTrue(map.removeIfVersion("a", versionOf("a")));
    assertFalse(map.removeIfVersion("a", first));
    assertEquals(Map.of(), map);
  }

  @Test
  void aConditionThatDoesNotHoldChangesNothingAndIsNoUse() {
    map.put("a", "1");
    map.put("b", "1");
    long changes = log.history().size();
    for (long version : new long[] {0, -1, versionOf("b"), Long.MAX_VALUE}) {
      assertFalse(map.writeAsync(Write.put("a", "2").ifVersion(version)).applied());
      assertFalse(map.writeAsync(Write.removeIfVersion("a", version)).applied());
    }
    assertFalse(map.replaceIfVersion("nothing", 0, "2"));
    assertEquals(changes, log.history().size());
    map.put("c", "1");
    assertFalse(map.containsKey("a"), "the coldest is still the coldest");
  }

  @Test
  void aSubmissionTellsWhetherItAppliesAndTheVersionThatIsThereNow() {
    PendingWrite<String> put = map.writeAsync(Write.put("a", "1").ifAbsent());
    PendingWrite<String> refused = map.writeAsync(Write.put("a", "2").ifAbsent());
    assertTrue(put.applied());
    assertFalse(refused.applied());
    assertEquals("1", refused.previous());
    assertEquals(put.version(), refused.version());
    PendingWrite<String> replaced = map.writeAsync(Write.put("a", "3").ifVersion(put.version()));
    assertTrue(replaced.applied());
    assertEquals("1", replaced.previous());
    assertEquals(versionOf("a"), replaced.version());
    assertEquals(
        replaced.version(), map.writeAsync(Write.put("a", "4").ifVersion(put.version())).version());
    assertTrue(map.writeAsync(Write.removeIfVersion("a", replaced.version())).applied());
    assertEquals(0, map.writeAsync(Write.removeIfVersion("a", replaced.version())).version());
    assertFalse(map.removeAsync("a").applied());
  }

  @Test
  void aWriteCanBeUsedAgainAndItsLastConditionCounts() {
    Write.Put<String, String> put = Write.put("a", "1");
    Write.Put<String, String> ifAbsent = put.ifVersion(4711).ifAbsent();
    assertTrue(map.writeAsync(ifAbsent).applied());
    assertFalse(map.writeAsync(ifAbsent).applied());
    assertTrue(map.writeAsync(put).applied(), "a condition makes another write");
    Write.Put<String, String> ifVersion = ifAbsent.ifVersion(versionOf("a"));
    assertTrue(map.writeAsync(ifVersion).applied());
    assertFalse(map.writeAsync(ifVersion).applied(), "its own write gave another version");
    assertTrue(map.writeAsync(Write.remove("a")).applied());
    assertFalse(map.writeAsync(Write.remove("a")).applied());
  }

  @Test
  @NullUnmarked
  void aWriteOfNothingIsRefused() {
    List<Executable> refused =
        List.of(
            () -> map.writeAsync((Write<String, String>) null),
            () -> Write.put(null, "1"),
            () -> Write.put("a", null),
            () -> Write.remove(null),
            () -> Write.removeIfVersion(null, 1));
    refused.forEach(write -> assertThrows(NullPointerException.class, write));
  }

  @Test
  void aWriteKeepsItsConditionBesideItsTimeToLive() {
    map.put("a", "1");
    assertFalse(map.writeAsync(Write.put("a", "2").ifAbsent().ttl(Duration.ofHours(1))).applied());
    assertTrue(map.writeAsync(Write.put("b", "2").ttl(Duration.ofHours(1)).ifAbsent()).applied());
    assertEquals(Optional.empty(), requireNonNull(map.getVersioned("a")).expiry());
    assertTrue(requireNonNull(map.getVersioned("b")).expiry().isPresent());
  }

  @Test
  void aSubmissionCanBeAwaited() {
    RecordingLog<String, String> slow = new RecordingLog<String, String>().holdingBack();
    Pensieve<String, String> behind = Pensieve.<String, String>builder().log(slow).open();
    PendingWrite<String> put = behind.putAsync("a", "1");
    slow.acknowledgeAll();
    assertEquals(put, put.await());
    PendingWrite<String> lost = behind.putAsync("a", "2");
    slow.fail(new LogException.Failed("the disk is gone", null));
    assertThrows(LogException.Failed.class, lost::await);
  }

  /** A value says which write it is of, so that a version of another one is noticed. */
  @Test
  void valueAndVersionAlwaysBelongTogether() throws Exception {
    record Seen(String key, Versioned<String> read) {}
    ConcurrentLinkedQueue<Seen> seen = new ConcurrentLinkedQueue<>();
    ParallelRun.run(
        THREADS,
        VersionedWriteTest.class,
        random -> {
          for (int i = 0; i < 20_000; i++) {
            String key = "k" + random.nextInt(3);
            if (random.nextInt(3) == 0) {
              map.put(key, String.valueOf(random.nextLong()));
            } else {
              Versioned<String> read = map.getVersioned(key);
              if (read != null) {
                seen.add(new Seen(key, read));
              }
            }
          }
        });
    List<Change<String, String>> history = log.history();
    for (Seen one : seen) {
      Versioned<String> read = one.read();
      assertEquals(
          new Change.Put<>(one.key(), read.value()), history.get((int) read.version() - 1));
    }
    assertTrue(seen.size() > 1000, "something was read");
  }

  @ParameterizedTest
  @EnumSource
  void noIncrementIsLost(Durability durability, @TempDir Path folder) throws Exception {
    int increments = durability == Durability.POWER_CUT ? 200 : 3_000;
    try (Pensieve<String, Long> counters = openCounters(folder, durability)) {
      ParallelRun.run(THREADS, VersionedWriteTest.class, random -> increment(counters, increments));
    }
    try (Pensieve<String, Long> reopened = openCounters(folder, durability)) {
      assertEquals(THREADS * (long) increments, total(reopened));
    }
  }

  @Test
  void noIncrementIsLostWithoutALog() throws Exception {
    Pensieve<String, Long> counters = Pensieve.<String, Long>builder().log(Log.none()).open();
    ParallelRun.run(THREADS, VersionedWriteTest.class, random -> increment(counters, 20_000));
    assertEquals(THREADS * 20_000L, total(counters));
  }

  private static Pensieve<String, Long> openCounters(Path folder, Durability durability) {
    return Pensieve.<String, Long>builder()
        .log(FileLog.at(folder, Codec.utf8(), Codec.int64()).durability(durability))
        .open();
  }

  private static void increment(Pensieve<String, Long> counters, int times) {
    for (int done = 0; done < times; ) {
      String key = "k" + done % 3;
      Versioned<Long> read = counters.getVersioned(key);
      boolean applied =
          read == null
              ? counters.putIfAbsent(key, 1L) == null
              : counters.replaceIfVersion(key, read.version(), read.value() + 1);
      done += applied ? 1 : 0;
    }
  }

  private static long total(Pensieve<String, Long> counters) {
    return counters.values().stream().mapToLong(Long::longValue).sum();
  }

  private long versionOf(String key) {
    return requireNonNull(map.getVersioned(key)).version();
  }
}
