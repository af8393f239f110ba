package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Functions of strangers, which run when a write is durable. */
@Timeout(120)
class FutureCompleterTest {
  private static final int RING_BYTES = WriterFaultTest.RING_BYTES;

  private static Change<String, String> put(String key, String value) {
    return new Change.Put<>(key, value, Change.NEVER);
  }

  @Test
  void whatDependsOnADurableWriteMayWriteAndWaitItself(@TempDir Path folder) throws Exception {
    FileLog<String, String> log = WriterFaultTest.open(folder, LogThreads.daemons());
    String value = "x".repeat(RING_BYTES / 3); // two of them fill the ring
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      String key = "k" + i;
      all.add(
          log.whenDurable(log.append(put(key, value)))
              .thenRun(() -> log.awaitDurable(log.append(put(key + "+", value))))
              .thenCompose(done -> log.whenDurable(log.append(put(key + "++", value))))
              .thenRun(() -> log.whenDurable(log.append(put(key + "+++", value))).join()));
    }
    CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0])).get(2, TimeUnit.MINUTES);
    log.close();
    assertEquals(80, WriterFaultTest.keysOf(folder).size());
  }

  @Test
  void aFunctionThatNeverEndsHoldsUpNoOthers(@TempDir Path folder) throws Exception {
    SlowDisk disk = new SlowDisk();
    FileLog<String, String> log = WriterFaultTest.open(disk.disk(), folder, LogThreads.daemons());
    CountDownLatch never = new CountDownLatch(1);
    CountDownLatch held = new CountDownLatch(3);
    // No force ends before all functions are there: else they would run on this thread.
    disk.holdWriter("File.force");
    try {
      for (int i = 0; i < 3; i++) {
        CompletableFuture<Void> ignored =
            log.whenDurable(log.append(put("stuck", "1")))
                .thenRun(
                    () -> {
                      held.countDown();
                      awaitQuietly(never);
                    });
      }
      disk.release();
      assertTrue(held.await(2, TimeUnit.MINUTES), "one after the other is passed over");
      log.whenDurable(log.append(put("other", "1"))).get(2, TimeUnit.MINUTES);
      log.close();
    } finally {
      disk.release();
      never.countDown();
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException notHere) {
      throw new AssertionError(notHere);
    }
  }
}
