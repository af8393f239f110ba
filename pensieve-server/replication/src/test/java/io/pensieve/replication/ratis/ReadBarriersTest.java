package io.pensieve.replication.ratis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a member tells a follower that asks, and when it asks a majority before that. */
final class ReadBarriersTest {
  private static final long LEASE_MILLIS = 500;

  private long millis = 10_000;
  private long leadingTerm = 7;
  private long applied = 40;
  private final List<CompletableFuture<Void>> proposed = new ArrayList<>();
  private final ReadBarriers barriers =
      new ReadBarriers(
          () -> CompletableFuture.failedFuture(new AssertionError("a leader asks nobody so")),
          this::propose,
          () -> leadingTerm,
          new LeaderLease(LEASE_MILLIS, this::now),
          sameThread());

  private long now() {
    return TimeUnit.MILLISECONDS.toNanos(millis);
  }

  // As the engine does: an entry that is committed wins the lease, from before it was proposed.
  private CompletableFuture<Void> propose(long term, byte[] entry) {
    assertEquals(leadingTerm, term);
    assertEquals(0, entry.length);
    long before = now();
    CompletableFuture<Void> outcome = new CompletableFuture<>();
    proposed.add(outcome);
    return outcome.thenRun(() -> barriers.committed(term, before));
  }

  private CompletableFuture<Long> ask() {
    return barriers.index(() -> applied);
  }

  @Test
  void aLeaderWithoutALeaseAsksAMajorityFirst() {
    CompletableFuture<Long> answer = ask();
    assertFalse(answer.isDone(), "it may have been ousted");
    applied = 41; // acknowledged meanwhile
    proposed.get(0).complete(null);
    assertEquals(41, answer.join());
  }

  @Test
  void aLeaderThatWasOustedTellsNothing() {
    CompletableFuture<Long> answer = ask();
    proposed.get(0).completeExceptionally(new IllegalStateException("another one leads"));
    assertTrue(answer.isCompletedExceptionally());
  }

  @Test
  void aLeaderThatWasPausedAsksAgain() {
    proposeAndCommit();
    assertEquals(40, ask().join());
    millis += LEASE_MILLIS; // another member may lead by now
    assertFalse(ask().isDone());
  }

  @Test
  void oneConfirmationServesAllQuestionsOfItsLease() {
    proposeAndCommit();
    millis += LEASE_MILLIS / 2;
    for (int i = 0; i < 100; i++) {
      assertEquals(40, ask().join());
    }
    assertEquals(1, proposed.size());
  }

  @Test
  void aLeaseThatIsHalfOverIsRenewedOnceForAllThatAsk() {
    proposeAndCommit();
    millis += LEASE_MILLIS / 2 + 1;
    for (int i = 0; i < 100; i++) {
      assertEquals(40, ask().join());
    }
    assertEquals(2, proposed.size());
    proposed.get(1).complete(null);
    millis += LEASE_MILLIS - 1;
    assertEquals(40, ask().join());
  }

  @Test
  void aMemberThatDoesNotLeadTellsNothing() {
    proposeAndCommit();
    leadingTerm = MemberStatus.NOT_LEADING;
    assertTrue(ask().isCompletedExceptionally());
    assertEquals(1, proposed.size());
  }

  @Test
  void aLeaderThatHandsOverAsksForEach() {
    proposeAndCommit();
    long term = barriers.barLease();
    assertEquals(7, term);
    assertFalse(ask().isDone());
    barriers.unbarLease(term);
    assertFalse(ask().isDone());
  }

  private void proposeAndCommit() {
    var unused = ask();
    proposed.get(0).complete(null);
  }

  private static ExecutorService sameThread() {
    return new AbstractExecutorService() {
      @Override
      public void execute(Runnable task) {
        task.run();
      }

      @Override
      public void shutdown() {}

      @Override
      public List<Runnable> shutdownNow() {
        return List.of();
      }

      @Override
      public boolean isShutdown() {
        return false;
      }

      @Override
      public boolean isTerminated() {
        return false;
      }

      @Override
      public boolean awaitTermination(long timeout, TimeUnit unit) {
        return true;
      }
    };
  }
}
