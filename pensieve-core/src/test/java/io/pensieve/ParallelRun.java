package io.pensieve;

import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs the same work in several threads that begin at once, each with a seed of its own. */
final class ParallelRun {
  private ParallelRun() {}

  /** What one of the threads does. */
  interface Work {
    void run(Random random) throws Exception;
  }

  static void run(int threads, Class<?> test, Work work) throws Exception {
    Random seeds = Seed.random(test);
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      CountDownLatch start = new CountDownLatch(1);
      List<Future<Void>> running = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        Random random = new Random(seeds.nextLong());
        running.add(
            executor.submit(
                () -> {
                  start.await();
                  work.run(random);
                  return null;
                }));
      }
      start.countDown();
      for (Future<Void> one : running) {
        one.get();
      }
    } finally {
      executor.shutdownNow();
    }
  }
}
