package io.pensieve;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Runs a tiny race very many times and counts how it ended: two threads act on the same fresh
 * object at about the same time.
 *
 * <p>Both walk over a batch of objects side by side, so that they are seldom far from one another;
 * only between batches they wait for each other. What an actor finds out it leaves in the object.
 */
public final class Race<S> {
  private static final int BATCH = 256;
  private static final int SPINS = 1 << 12; // then the other one may need this processor

  private final List<S> batch = new ArrayList<>();
  private final AtomicInteger ready = new AtomicInteger();
  private final AtomicInteger finished = new AtomicInteger();
  private volatile int turn;

  private Race() {}

  /**
   * Counts the outcomes of so many races.
   *
   * @param outcome tells how a race ended, when both are done
   */
  public static <S> Map<String, Integer> outcomes(
      int races, Supplier<S> fresh, Consumer<S> one, Consumer<S> other, Function<S, String> outcome)
      throws InterruptedException, ExecutionException {
    return new Race<S>().run(races, fresh, List.of(one, other), outcome);
  }

  private Map<String, Integer> run(
      int races, Supplier<S> fresh, List<Consumer<S>> actors, Function<S, String> outcome)
      throws InterruptedException, ExecutionException {
    Map<String, Integer> counted = new TreeMap<>();
    int turns = (races + BATCH - 1) / BATCH;
    ExecutorService threads = Executors.newFixedThreadPool(actors.size());
    try {
      List<Future<?>> running = new ArrayList<>();
      for (Consumer<S> actor : actors) {
        running.add(threads.submit(() -> act(actor, actors.size(), turns)));
      }
      for (int done = 1; done <= turns; done++) {
        batch.clear();
        for (int i = 0; i < BATCH; i++) {
          batch.add(fresh.get());
        }
        turn = done;
        awaitFinished(actors.size() * done, running);
        batch.forEach(state -> counted.merge(outcome.apply(state), 1, Integer::sum));
      }
      return counted;
    } finally {
      threads.shutdownNow();
    }
  }

  private void act(Consumer<S> actor, int actors, int turns) {
    for (int mine = 1; mine <= turns; mine++) {
      for (int spins = 1; turn < mine && !Thread.currentThread().isInterrupted(); spins++) {
        spin(spins);
      }
      ready.incrementAndGet();
      for (int spins = 1;
          ready.get() < actors * mine && !Thread.currentThread().isInterrupted();
          spins++) {
        spin(spins);
      }
      batch.forEach(actor);
      finished.incrementAndGet();
    }
  }

  private void awaitFinished(int all, List<Future<?>> running)
      throws InterruptedException, ExecutionException {
    for (int spins = 1; finished.get() < all; spins++) {
      spin(spins);
      if (Thread.interrupted()) {
        throw new InterruptedException("a race does not end");
      }
      for (Future<?> one : running) {
        if (one.isDone()) {
          one.get(); // throws why, if it failed
        }
      }
    }
  }

  private static void spin(int spins) {
    if (spins % SPINS == 0) {
      LockSupport.parkNanos(1);
    } else {
      Thread.onSpinWait();
    }
  }
}
