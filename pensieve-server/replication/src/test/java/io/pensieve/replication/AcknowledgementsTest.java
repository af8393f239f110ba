package io.pensieve.replication;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.LogException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AcknowledgementsTest {
  private static final long PATIENCE_SECONDS = 120;

  private final WorkerThreads workers = new WorkerThreads();
  private final Acknowledgements acknowledgements = new Acknowledgements(workers);

  @AfterEach
  void end() {
    workers.end();
  }

  private static void await(CompletableFuture<Void> future) throws Exception {
    future.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  private static void assertUnknown(CompletableFuture<Void> future) {
    ExecutionException thrown = assertThrows(ExecutionException.class, () -> await(future));
    assertTrue(thrown.getCause() instanceof LogException.OutcomeUnknown, thrown.toString());
  }

  @Test
  void whoWaitsForALostNumberLearnsItAlsoLater() throws Exception {
    acknowledgements.acknowledge(10);
    CompletableFuture<Void> first = acknowledgements.whenDurable(11);
    CompletableFuture<Void> second = acknowledgements.whenDurable(12);
    acknowledgements.acknowledge(11);
    await(first);
    acknowledgements.lose(11, 13);
    assertUnknown(second);
    assertUnknown(acknowledgements.whenDurable(13));
    assertThrows(LogException.OutcomeUnknown.class, () -> acknowledgements.await(12));
    acknowledgements.acknowledge(1000);
    assertUnknown(acknowledgements.whenDurable(13));
    assertTrue(acknowledgements.isVoid(12));
    assertFalse(acknowledgements.isVoid(11));
    assertFalse(acknowledgements.isVoid(14));
  }

  @Test
  void whatWasCommittedAfterAllIsNotVoid() throws Exception {
    acknowledgements.acknowledge(10);
    acknowledgements.lose(10, 14);
    acknowledgements.recover(12);
    acknowledgements.acknowledge(12);
    await(acknowledgements.whenDurable(12));
    assertTrue(acknowledgements.isVoid(13));
    acknowledgements.recover(14);
    assertFalse(acknowledgements.isVoid(14));
  }

  @Test
  void oldVoidRangesAreForgottenAndNewOnesAreNot() {
    int ranges = 2 * VoidRanges.RANGES_MAX;
    for (long i = 1; i <= ranges; i++) {
      acknowledgements.lose(i * 100, i * 100 + 2);
    }
    assertFalse(acknowledgements.isVoid(101));
    assertTrue(acknowledgements.isVoid(ranges * 100L + 1));
    assertTrue(acknowledgements.isVoid((ranges - VoidRanges.RANGES_MAX + 1) * 100L + 1));
    assertFalse(acknowledgements.isVoid(ranges * 100L));
    assertFalse(acknowledgements.isVoid(ranges * 100L - 50));
  }

  @Test
  void aThreadThatWaitsIsWokenAndKeepsItsInterrupt() throws Exception {
    CompletableFuture<Boolean> waited = new CompletableFuture<>();
    Thread waiter =
        new Thread(
            () -> {
              acknowledgements.await(5);
              waited.complete(Thread.currentThread().isInterrupted());
            });
    waiter.start();
    waiter.interrupt();
    acknowledgements.acknowledge(5);
    assertTrue(waited.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
    waiter.join();
  }

  @Test
  void afterAFailureNobodyWaits() throws Exception {
    acknowledgements.acknowledge(1);
    CompletableFuture<Void> waiting = acknowledgements.whenDurable(2);
    acknowledgements.fail(() -> new LogException.Failed("the disk is gone", null));
    assertThrows(ExecutionException.class, () -> await(waiting));
    assertThrows(LogException.Failed.class, () -> acknowledgements.await(3));
    assertThrows(CompletionException.class, () -> acknowledgements.whenDurable(3).join());
    assertDoesNotThrow(() -> acknowledgements.await(1));
  }
}
