package io.pensieve.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pensieve.log.ChangeStream.Sequenced;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A store of recent changes keeps the given numbers, with gaps. See {@link InMemoryLogTest}, too.
 */
@Timeout(120)
class RecentChangesTest {
  private static final Duration LONG = Duration.ofMinutes(2);

  private final RecentChanges<String, String> recent =
      new RecentChanges<>(4, Long.MAX_VALUE, change -> 0, 100);

  private static Change<String, String> put(String key) {
    return new Change.Put<>(key, "value");
  }

  private void add(long... sequences) {
    for (long sequence : sequences) {
      recent.add(sequence, put("k" + sequence));
    }
  }

  private static List<Long> now(ChangeStream<String, String> stream) throws InterruptedException {
    return stream.next(Duration.ZERO).stream().map(Sequenced::sequence).toList();
  }

  @Test
  void numbersMayHaveGapsAndAStreamMayBeginWithinOne() throws Exception {
    ChangeStream<String, String> all = recent.changes();
    add(101, 105, 1_000_000);
    assertEquals(List.of(101L, 105L, 1_000_000L), now(all));
    assertEquals(1_000_000, all.sequence());
    assertEquals(List.of(101L, 105L, 1_000_000L), now(recent.changes(100)));
    assertEquals(List.of(105L, 1_000_000L), now(recent.changes(104)));
    assertEquals(List.of(1_000_000L), now(recent.changes(105)));
    assertEquals(List.of(), now(recent.changes(1_000_000)));
    assertThrows(LogException.HistoryTruncated.class, () -> recent.changes(99));
    assertThrows(LogException.HistoryTruncated.class, () -> recent.changes(0));
    assertThrows(LogException.HistoryTruncated.class, () -> recent.changes(1_000_001));
  }

  @Test
  void theOldestNumberThatIsForgottenIsWhereAStreamMayBegin() throws Exception {
    add(110, 120, 130, 140, 150, 160); // the ring has gone round
    assertThrows(LogException.HistoryTruncated.class, () -> recent.changes(119));
    assertEquals(List.of(130L, 140L, 150L, 160L), now(recent.changes(120)));
    assertEquals(List.of(150L, 160L), now(recent.changes(149)));
  }

  @Test
  void manyComeAtOnceAndTouchesDoNot() throws Exception {
    CompletableFuture<List<Long>> first = new CompletableFuture<>();
    ChangeStream<String, String> stream = recent.changes();
    Thread reader =
        new Thread(
            () -> {
              try {
                first.complete(stream.next(LONG).stream().map(Sequenced::sequence).toList());
              } catch (InterruptedException | RuntimeException failed) {
                first.completeExceptionally(failed);
              }
            });
    reader.start();
    recent.add(101, new Change.Touch<>("a"));
    recent.addAll(
        List.of(
            new Sequenced<>(102, put("a")),
            new Sequenced<>(103, new Change.Touch<>("a")),
            new Sequenced<>(104, put("b"))));
    assertEquals(List.of(102L, 104L), first.get());
    reader.join();
    assertEquals(104, recent.last());
  }

  @Test
  void afterAResetTheHistoryIsTruncatedAndGoesOn() throws Exception {
    add(101, 102, 103, 104, 105);
    ChangeStream<String, String> slow = recent.changes(104);
    ChangeStream<String, String> there = recent.changes(105);
    recent.reset(200);
    assertThrows(LogException.HistoryTruncated.class, () -> now(slow));
    assertThrows(LogException.HistoryTruncated.class, () -> now(there));
    assertThrows(LogException.HistoryTruncated.class, () -> recent.changes(199));
    ChangeStream<String, String> fresh = recent.changes(200);
    add(205, 206, 207, 208, 209);
    assertThrows(LogException.HistoryTruncated.class, () -> now(fresh), "four are kept");
    assertEquals(List.of(206L, 207L, 208L, 209L), now(recent.changes(205)));
    assertThrows(IllegalArgumentException.class, () -> recent.reset(208));
  }

  @Test
  void aResetWakesAStreamThatWaits() throws Exception {
    ChangeStream<String, String> stream = recent.changes();
    CompletableFuture<Object> ended =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return stream.next(LONG);
              } catch (InterruptedException | RuntimeException thrown) {
                return thrown.getClass();
              }
            });
    recent.reset(300);
    assertEquals(LogException.HistoryTruncated.class, ended.get());
  }

  @Test
  void aGivenWeightCounts() {
    RecentChanges<String, String> light = new RecentChanges<>(10, 5, change -> 0, 0);
    light.addAll(List.of(change(1), change(2)), 2);
    light.addAll(List.of(change(3)), 3); // seven in all: the first one goes
    assertThrows(LogException.HistoryTruncated.class, () -> light.changes(0));
    light.changes(1).close();
    light.addAll(List.of(change(4)), 2);
    assertThrows(LogException.HistoryTruncated.class, () -> light.changes(1));
    light.changes(2).close();
    assertThrows(IllegalArgumentException.class, () -> light.addAll(List.of(change(5)), -1));
  }

  private static Sequenced<String, String> change(long sequence) {
    return new Sequenced<>(sequence, put("k" + sequence));
  }

  @Test
  void theFirstReasonForTheEndCounts() throws Exception {
    add(101);
    ChangeStream<String, String> stream = recent.changes(100);
    recent.close(() -> new UnsupportedOperationException("the disk"));
    recent.close();
    assertEquals(List.of(101L), now(stream));
    assertThrows(UnsupportedOperationException.class, () -> stream.next(LONG));
    assertThrows(UnsupportedOperationException.class, () -> recent.changes());
    assertThrows(UnsupportedOperationException.class, () -> add(102));
  }

  @Test
  void numbersAscend() {
    add(101);
    assertThrows(IllegalArgumentException.class, () -> add(101));
    assertThrows(IllegalArgumentException.class, () -> add(50));
    recent.close();
    assertThrows(IllegalStateException.class, () -> add(102));
    assertThrows(IllegalArgumentException.class, () -> new RecentChanges<>(1, 1, change -> 0, -1));
  }
}
