package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Codec;
import io.pensieve.log.file.FileLog;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who has returned from closing a map finds it closed. */
@Timeout(120)
class MapCloseTest {
  private final RecordingLog<String, String> log = new RecordingLog<>();
  private final Pensieve<String, String> map = Pensieve.<String, String>builder().log(log).open();
  private final CountDownLatch closing = new CountDownLatch(1);
  private final CountDownLatch mayClose = new CountDownLatch(1);

  private void closeSlowly() {
    log.beforeClose(
        () -> {
          closing.countDown();
          awaitUninterruptibly(mayClose);
        });
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    while (true) {
      try {
        latch.await();
        return;
      } catch (InterruptedException goOnWaiting) {
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void aSecondCallWaitsForTheFirstAndKeepsAnInterrupt() throws Exception {
    closeSlowly();
    Thread first = new Thread(map::close);
    first.start();
    closing.await();
    boolean[] seen = new boolean[2];
    Thread second =
        new Thread(
            () -> {
              map.close();
              seen[0] = log.isClosed();
              seen[1] = Thread.currentThread().isInterrupted();
            });
    second.start();
    while (second.getState() != Thread.State.WAITING) {
      assertTrue(second.isAlive(), "it did not wait");
      Thread.onSpinWait();
    }
    second.interrupt();
    assertThrows(IllegalStateException.class, () -> map.put("a", "1"));
    assertFalse(log.isClosed());
    mayClose.countDown();
    first.join();
    second.join();
    assertTrue(seen[0], "returned before the log was closed");
    assertTrue(seen[1], "the interrupt is kept");
  }

  @Test
  void aSecondCallReturnsAlsoIfTheFirstHasFailed() {
    IllegalStateException failure = new IllegalStateException("a test's log");
    log.beforeClose(
        () -> {
          throw failure;
        });
    assertEquals(failure, assertThrows(IllegalStateException.class, map::close));
    map.close();
  }

  @Test
  void aFunctionThatComputesAValueMayNotCompactItsMapsLog(@TempDir Path folder) {
    FileLog<String, String> file = FileLog.at(folder, Codec.utf8(), Codec.utf8());
    try (Pensieve<String, String> durable = Pensieve.<String, String>builder().log(file).open()) {
      durable.compute(
          "a",
          (key, value) -> {
            assertThrows(IllegalStateException.class, file::compact);
            return "1";
          });
      file.compact();
      assertEquals(1, file.statistics().compactions());
    }
  }

  @Test
  void aFunctionThatComputesAValueMayNeitherCloseNorBackUpItsMap(@TempDir Path folder) {
    map.compute(
        "a",
        (key, value) -> {
          assertThrows(IllegalStateException.class, map::close);
          assertThrows(IllegalStateException.class, () -> map.backup(folder));
          return "1";
        });
    assertEquals("1", map.put("a", "2"));
    assertFalse(log.isClosed());
    map.close();
    assertTrue(log.isClosed());
  }

  @Test
  void aLogThatClosesItsMapIsNotWaitedFor() {
    log.beforeClose(map::close);
    map.close();
    assertTrue(log.isClosed());
  }
}
