package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.LogException;
import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What a map is after its log has been closed and opened again. */
class RestartTest {
  private RecordingLog<String, String> log = new RecordingLog<>();
  private Pensieve<String, String> map = open(100);

  @Test
  void entriesAndTheOrderOfReadsSurviveACleanClose() {
    putAll("a", "b", "c", "d");
    map.get("b");
    map.get("a");
    reopen(100);
    assertEquals(List.of("c", "d", "b", "a"), coldestFirst());
    assertEquals(Map.of("a", "a", "b", "b", "c", "c", "d", "d"), map);
  }

  @Test
  void anOrderMadeByWritesAloneNeedsNoTouch() {
    putAll("a", "b", "c", "a");
    map.close();
    assertEquals(4, log.history().size());
  }

  @Test
  void aRestartWithoutReadsAddsNothingToTheLog() {
    putAll("a", "b", "c");
    map.get("a");
    reopen(100);
    int before = log.history().size();
    reopen(100);
    reopen(100);
    assertEquals(before, log.history().size());
    assertEquals(List.of("b", "c", "a"), coldestFirst());
  }

  @Test
  void onlyWhatReplayWouldMisplaceIsTouched() {
    putAll("a", "b", "c", "d", "e");
    reopen(100);
    map.get("b");
    map.put("f", "f");
    map.close();
    assertEquals(
        List.of(new Change.Touch<>("b"), new Change.Touch<>("f")),
        log.history().subList(6, log.history().size()));
  }

  @Test
  void theOrderSurvivesAnyHistoryOfLivesAndUses() {
    Random random = Seed.random(RestartTest.class);
    for (int ttl = 0; ttl < 200; ttl++) {
      for (int i = random.nextInt(40); i > 0; i--) {
        String key = "k" + random.nextInt(120);
        switch (random.nextInt(4)) {
          case 0 -> map.put(key, key + i);
          case 1 -> map.remove(key);
          default -> map.get(key);
        }
      }
      List<String> before = coldestFirst();
      Map<String, String> entries = Map.copyOf(map);
      reopen(100);
      assertEquals(before, coldestFirst());
      assertEquals(entries, Map.copyOf(map));
    }
  }

  @Test
  void versionsGoOnWhereTheyWere() {
    long before = map.putAsync("a", "1").version();
    reopen(100);
    assertTrue(map.putAsync("a", "2").version() > before);
  }

  @Test
  void aSmallerBoundEvictsTheColdestAndLogsIt() {
    putAll("a", "b", "c", "d");
    map.get("a");
    reopen(2);
    assertEquals(List.of("d", "a"), coldestFirst());
    assertEquals(List.of("d", "a"), List.copyOf(log.fold().keySet()));
  }

  @Test
  void aMapThatCannotBeOpenedClosesItsLog() {
    putAll("a", "b");
    RecordingLog<String, String> sound = log.reopened();
    PensieveBuilder<String, String> builder =
        Pensieve.<String, String>builder()
            .log(sound)
            .clock(
                () -> {
                  throw new IllegalStateException("no time");
                });
    assertThrows(IllegalStateException.class, builder::open);
    assertTrue(sound.isClosed());
  }

  @Test
  void aLogThatCannotBeReadIsNotThisMapsToClose() {
    log.fail(new LogException.Failed("unreadable", null));
    assertThrows(LogException.Failed.class, () -> open(100));
    assertFalse(log.isClosed());
  }

  @Test
  void recoveryReportsItsProgress() {
    putAll("a", "b", "c");
    map.close();
    AtomicLong read = new AtomicLong();
    Pensieve.<String, String>builder()
        .log(log.reopened())
        .recoveryListener((bytesRead, bytesTotal) -> read.set(bytesRead * 100 / bytesTotal))
        .open()
        .close();
    assertEquals(100, read.get());
  }

  @Test
  void aClosedMapRefusesWritesAndCanStillBeRead() {
    putAll("a");
    map.close();
    map.close();
    assertThrows(IllegalStateException.class, () -> map.put("b", "b"));
    assertThrows(IllegalStateException.class, () -> map.remove("a"));
    assertEquals(Map.of("a", "a"), map);
    assertEquals(log.fold(), map);
  }

  private void putAll(String... keys) {
    for (String key : keys) {
      map.put(key, key);
    }
  }

  private void reopen(int bound) {
    map.close();
    log = log.reopened();
    map = open(bound);
  }

  private Pensieve<String, String> open(int bound) {
    return Pensieve.<String, String>builder().maximumEntries(bound).log(log).open();
  }

  private List<String> coldestFirst() {
    List<String> keys = new ArrayList<>();
    map.nodes().forEach(node -> keys.add(node.key()));
    return keys;
  }
}
