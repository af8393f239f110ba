package io.pensieve.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class SharedBarrierTest {
  private final List<CompletableFuture<Void>> engine = new ArrayList<>();
  private final SharedBarrier barrier = new SharedBarrier(this::begin, new SameThread());

  private CompletableFuture<Void> begin() {
    CompletableFuture<Void> begun = new CompletableFuture<>();
    engine.add(begun);
    return begun;
  }

  /** Completes at once. */
  private static final class SameThread implements Workers {
    @Override
    public void begin(Packer<?, ?> packer, Runnable tick) {}

    @Override
    public void complete(Collection<? extends Runnable> completions) {
      completions.forEach(Runnable::run);
    }

    @Override
    public void executeLong(Runnable task) {}

    @Override
    public void endSoon() {}

    @Override
    public void end() {}
  }

  @Test
  void whoComesLaterIsNotServedByABarrierUnderWay() {
    CompletableFuture<Void> first = barrier.pass();
    CompletableFuture<Void> second = barrier.pass();
    CompletableFuture<Void> third = barrier.pass();
    assertEquals(1, engine.size());
    engine.get(0).complete(null);
    assertTrue(first.isDone());
    assertFalse(second.isDone());
    assertEquals(2, engine.size(), "one for both");
    engine.get(1).complete(null);
    assertTrue(second.isDone() && third.isDone());
    assertTrue(barrier.staleness().isPresent());
    CompletableFuture<Void> unused = barrier.pass();
    assertEquals(3, engine.size());
  }

  @Test
  void aFailureIsToldAndTheNextOneBegins() {
    CompletableFuture<Void> first = barrier.pass();
    CompletableFuture<Void> second = barrier.pass();
    engine.get(0).completeExceptionally(new IOException("no leader"));
    assertThrows(CompletionException.class, first::join);
    assertTrue(barrier.staleness().isEmpty());
    engine.get(1).complete(null);
    second.join();
  }
}
