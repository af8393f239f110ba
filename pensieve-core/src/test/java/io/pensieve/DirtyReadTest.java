package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.LogException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Nobody sees what is not durable yet, and everybody sees it as soon as it is. */
@Timeout(120)
class DirtyReadTest {
  private final ManualClock clock = new ManualClock();
  private final RecordingLog<String, String> log = new RecordingLog<>();
  private final Pensieve<String, String> map =
      Pensieve.<String, String>builder()
          .maximumEntries(2)
          .clock(clock)
          .orderKeys(Comparator.naturalOrder())
          .log(log.holdingBack())
          .open();
  private final ExecutorService others = Executors.newCachedThreadPool();

  @AfterEach
  void stop() {
    log.acknowledgeAll();
    others.shutdownNow();
    map.close();
  }

  @Test
  void aValueIsShownWhenItIsDurable() throws Exception {
    map.putAsync("a", "1");
    assertWaitsForDurability("1", () -> map.get("a"));
  }

  @Test
  void anOverwrittenValueIsNotShownBeforeTheNewOneIsDurable() throws Exception {
    map.putAsync("a", "1");
    log.acknowledgeAll();
    map.putAsync("a", "2");
    assertWaitsForDurability("2", () -> map.get("a"));
  }

  @Test
  void anAbsenceIsShownWhenTheRemovalIsDurable() throws Exception {
    map.putAsync("a", "1");
    map.removeAsync("a");
    assertWaitsForDurability(null, () -> map.get("a"));
  }

  @Test
  void anEvictionIsShownWhenItIsDurable() throws Exception {
    map.putAsync("a", "1");
    map.putAsync("b", "1");
    map.putAsync("c", "1");
    assertWaitsForDurability(false, () -> map.containsKey("a"));
  }

  @Test
  void anAbsenceIsNotShownByAnyOtherReadEither() throws Exception {
    Pensieve<String, String> held = map;
    List<Callable<?>> reads =
        List.of(
            () -> held.containsKey("a"),
            () -> held.containsValue("1"),
            () -> !held.isEmpty(),
            () -> held.equals(Map.of("a", "1")),
            () -> !held.entrySet().isEmpty(),
            () -> held.values().contains("1"),
            () -> held.keySet().stream().findAny().isPresent(),
            () -> held.hashCode() != 0,
            () -> !Map.copyOf(held).isEmpty(),
            () -> held.coldestFirst().iterator().hasNext(),
            () -> held.hottestFirst().iterator().hasNext(),
            () -> held.orderedKeys().iterator().hasNext(),
            () -> held.values().removeIf(value -> true),
            () -> held.keySet().remove("a"));
    for (Callable<?> read : reads) {
      held.putAsync("a", "1");
      log.acknowledgeAll();
      held.removeAsync("a");
      assertWaitsForDurability(false, read);
    }
  }

  @Test
  void theAbsenceBetweenTwoOrderedKeysIsShownWhenItIsDurable() throws Exception {
    map.putAsync("a", "1");
    map.putAsync("b", "1");
    map.removeAsync("b");
    log.acknowledgeAll();
    map.putAsync("c", "1");
    log.acknowledgeAll();
    map.removeAsync("a");
    assertWaitsForDurability("c", () -> map.orderedKeys().iterator().next());
  }

  @Test
  void anObservationSaysWhenItMayBeTold() {
    long version = map.putAsync("a", "1").version();
    PendingRead<String> present = map.getAsync("a");
    assertEquals(new Versioned<>("1", version, Optional.empty()), present.entry());
    assertFalse(present.durable().isDone());
    assertTrue(map.getAsync("b").durable().isDone(), "it never was there");
    log.acknowledgeAll();
    assertTrue(present.durable().isDone());
    assertTrue(map.getAsync("a").durable().isDone());
    map.removeAsync("a");
    PendingRead<String> absent = map.getAsync("a");
    assertNull(absent.entry());
    assertFalse(absent.durable().isDone());
    log.acknowledgeAll();
    assertTrue(absent.durable().isDone());
  }

  @Test
  void anObservedExpiryMayBeToldWhenWhatHasExpiredIsDurable() {
    map.writeAsync(Write.put("a", "1").ttl(Duration.ofMillis(1)));
    clock.advance(1);
    PendingRead<String> absent = map.getAsync("a");
    assertNull(absent.entry());
    assertFalse(absent.durable().isDone());
    log.acknowledgeAll();
    assertTrue(absent.durable().isDone());
  }

  @Test
  void aFailedConditionIsShownWhenItsReasonIsDurable() throws Exception {
    map.putAsync("a", "1");
    assertWaitsForDurability("1", () -> map.putIfAbsent("a", "2"));
  }

  @Test
  void aFailedReplaceIsShownWhenItsReasonIsDurable() throws Exception {
    map.putAsync("a", "1");
    assertWaitsForDurability(false, () -> map.replace("a", "2", "3"));
    map.removeAsync("a");
    assertWaitsForDurability(null, () -> map.replace("a", "2"));
  }

  @Test
  void aVersionIsShownWhenItIsDurable() throws Exception {
    long version = map.putAsync("a", "1").version();
    assertWaitsForDurability(
        new Versioned<>("1", version, Optional.empty()), () -> map.getVersioned("a"));
  }

  @Test
  void aVersionThatIsAnotherOneIsShownWhenItIsDurable() throws Exception {
    long version = map.putAsync("a", "1").version();
    assertWaitsForDurability(false, () -> map.replaceIfVersion("a", version + 1, "2"));
    map.putAsync("a", "2");
    assertWaitsForDurability(false, () -> map.removeIfVersion("a", version));
    PendingWrite<String> refused = map.writeAsync(Write.put("a", "3").ifAbsent());
    assertTrue(refused.durable().isDone());
    map.putAsync("a", "4");
    assertFalse(map.writeAsync(Write.put("a", "5").ifAbsent()).durable().isDone());
  }

  @Test
  void anExpiryIsShownWhenTheValueThatHasExpiredIsDurable() throws Exception {
    map.putAsync("a", "1");
    log.acknowledgeAll();
    log.beforeAppend(DirtyReadTest::refuseRemovals); // else its durability could be waited for
    map.writeAsync(Write.put("a", "2").ttl(Duration.ofMillis(1)));
    clock.advance(1);
    assertWaitsForDurability(false, () -> map.containsKey("a"));
    map.putAsync("b", "1");
    log.acknowledgeAll();
    map.writeAsync(Write.put("b", "2").ttl(Duration.ofMillis(1)));
    clock.advance(1);
    assertWaitsForDurability(null, () -> map.getVersioned("b"));
  }

  @Test
  void aConditionThatFailsByExpiryIsShownWhenTheRemovalIsDurable() throws Exception {
    long version = map.writeAsync(Write.put("a", "1").ttl(Duration.ofMillis(1))).version();
    clock.advance(1);
    assertWaitsForDurability(false, () -> map.replaceIfVersion("a", version, "2"));
  }

  @Test
  void orderedIterationShowsDurableValuesOnly() throws Exception {
    map.putAsync("a", "1");
    assertWaitsForDurability("1", () -> map.coldestFirst().iterator().next().getValue());
    map.putAsync("b", "2");
    assertWaitsForDurability("2", () -> map.hottestFirst().iterator().next().getValue());
  }

  @Test
  void iterationShowsDurableValuesOnly() throws Exception {
    map.putAsync("a", "1");
    assertWaitsForDurability(List.of(Map.entry("a", "1")), () -> List.copyOf(map.entrySet()));
  }

  @Test
  void aPutReturnsWhenItIsDurable() throws Exception {
    assertWaitsForDurability(null, () -> map.put("a", "1"));
  }

  @Test
  void aSubmissionCompletesWhenItIsDurable() throws Exception {
    PendingWrite<String> put = map.putAsync("a", "1");
    PendingWrite<String> removal = map.removeAsync("a");
    PendingWrite<String> nothing = map.removeAsync("a");
    assertEquals("1", removal.previous());
    assertNull(nothing.previous());
    assertTrue(removal.version() > put.version());
    assertEquals(0, nothing.version());
    log.acknowledge(put.version());
    assertTrue(put.durable().isDone());
    assertFalse(removal.durable().isDone());
    assertFalse(nothing.durable().isDone(), "the absence it reports is not durable yet");
    log.acknowledgeAll();
    assertTrue(removal.durable().isDone());
    assertTrue(nothing.durable().isDone());
  }

  @Test
  void aBatchIsDurableWhenAllIsThatItTells() {
    AtomicBatch<String, String> batch = new AtomicBatch<>();
    batch.put("a", "1").put("b", "1");
    CompletableFuture<Void> put = map.writeAsync(batch).durable();
    assertFalse(put.isDone());
    log.acknowledgeAll();
    assertTrue(put.isDone());
    assertTrue(
        map.writeAsync(new AtomicBatch<String, String>().get("a").get("c")).durable().isDone());
    map.removeAsync("a");
    CompletableFuture<Void> read =
        map.writeAsync(new AtomicBatch<String, String>().get("b").get("a")).durable();
    assertFalse(read.isDone(), "it tells that a is absent");
    CompletableFuture<Void> refused =
        map.writeAsync(new AtomicBatch<String, String>().put("b", "2").requireVersion("a", 1))
            .durable();
    assertFalse(refused.isDone(), "it was refused because a is absent");
    log.acknowledgeAll();
    assertTrue(read.isDone());
    assertTrue(refused.isDone());
  }

  @Test
  void anExpiryThatABatchHasSeenIsDurableWhenTheValueIs() {
    map.writeAsync(Write.put("a", "1").ttl(Duration.ofMillis(1)));
    clock.advance(1);
    AtomicBatch<String, String> batch = new AtomicBatch<>();
    CompletableFuture<Void> read = map.writeAsync(batch.requireAbsent("a")).durable();
    assertFalse(read.isDone());
    log.acknowledgeAll();
    assertTrue(read.isDone());
  }

  @Test
  void noKeyOfABatchIsShownBeforeItIsDurable() throws Exception {
    map.writeAsync(new AtomicBatch<String, String>().put("a", "1").put("b", "1"));
    assertWaitsForDurability("1", () -> map.get("a"));
    map.writeAsync(new AtomicBatch<String, String>().remove("a").remove("b"));
    assertWaitsForDurability(false, () -> map.containsKey("b"));
  }

  @Test
  void whatIsDurableIsShownWithoutWaiting() {
    map.putAsync("a", "1");
    log.acknowledgeAll();
    assertEquals("1", map.get("a"));
    assertFalse(map.containsKey("b"));
  }

  @Test
  void afterAFailureTheDurableIsStillServedAndTheRestIsNot() {
    map.putAsync("a", "1");
    log.acknowledgeAll();
    PendingWrite<String> lost = map.putAsync("b", "1");
    log.fail(new LogException.Failed("the disk is gone", null));
    assertEquals("1", map.get("a"));
    assertThrows(LogException.Failed.class, () -> map.get("b"));
    assertThrows(LogException.Failed.class, () -> map.put("c", "1"));
    assertTrue(lost.durable().isCompletedExceptionally());
    assertEquals("1", map.get("a"));
    assertThrows(LogException.Failed.class, map::close, "the order cannot be saved");
    assertTrue(log.isClosed());
  }

  @Test
  void aWaitIsNotEndedByAnInterrupt() throws Exception {
    CompletableFuture<Boolean> flag = new CompletableFuture<>();
    Thread writer =
        new Thread(
            () -> {
              map.put("a", "1");
              flag.complete(Thread.currentThread().isInterrupted());
            });
    writer.start();
    awaitParked(writer);
    writer.interrupt();
    assertFalse(flag.isDone());
    log.acknowledgeAll();
    assertTrue(flag.get(), "the interrupt is kept for the caller");
  }

  private static void refuseRemovals(Change<String, String> change) {
    if (change instanceof Change.Remove) {
      throw new LogException.Full("no room");
    }
  }

  private void assertWaitsForDurability(@Nullable Object expected, Callable<?> observation)
      throws Exception {
    CompletableFuture<Thread> observer = new CompletableFuture<>();
    Future<?> observed =
        others.submit(
            () -> {
              observer.complete(Thread.currentThread());
              return observation.call();
            });
    Thread thread = observer.get();
    while (!observed.isDone() && thread.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    assertFalse(observed.isDone(), "shown before it was durable");
    log.acknowledgeAll();
    assertEquals(expected, observed.get());
  }

  private static void awaitParked(Thread thread) {
    while (thread.getState() != Thread.State.WAITING) {
      assertTrue(thread.isAlive(), "it did not wait");
      Thread.onSpinWait();
    }
  }
}
