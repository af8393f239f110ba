package io.pensieve.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class CompletionThreadsTest {
  @Test
  @Timeout(60)
  void aTaskMayWaitForALaterOne() throws InterruptedException {
    CompletionThreads threads = new CompletionThreads("test");
    CountDownLatch later = new CountDownLatch(1);
    CountDownLatch done = new CountDownLatch(1);
    threads.add(
        List.of(
            () -> {
              awaitQuietly(later);
              done.countDown();
            }));
    threads.add(List.of(later::countDown));
    while (later.getCount() > 0) {
      threads.ensureProgress();
      Thread.onSpinWait();
    }
    done.await();
    threads.end();
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException unexpected) {
      throw new AssertionError(unexpected);
    }
  }

  @Test
  @Timeout(60)
  void tasksRunInTheirOrderAndOneThatFailsHarmsNone() throws InterruptedException {
    CompletionThreads threads = new CompletionThreads("test");
    List<Integer> run = new ArrayList<>();
    CountDownLatch done = new CountDownLatch(1);
    for (int i = 0; i < 1000; i++) {
      int number = i;
      threads.add(
          List.of(
              () -> {
                run.add(number);
                throw new IllegalStateException("of a caller's function");
              }));
    }
    threads.add(List.of(done::countDown));
    done.await();
    assertEquals(1000, run.size());
    for (int i = 0; i < 1000; i++) {
      assertEquals(i, run.get(i));
    }
    threads.end();
  }
}
