package io.pensieve.server.peers;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** What a test has opened: closed after it, the last first, and then no thread of it is left. */
final class TestResources {
  static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Deque<AutoCloseable> opened = new ArrayDeque<>();

  <T extends AutoCloseable> T push(T fresh) {
    opened.push(fresh);
    return fresh;
  }

  void closeAll() throws Exception {
    while (!opened.isEmpty()) {
      opened.pop().close();
    }
    await(
        () -> threadsNamed("pensieve-").isEmpty() && threadsNamed("loopback-peer").isEmpty(),
        () -> "waited in vain");
  }

  static List<String> threadsNamed(String prefix) {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith(prefix))
        .toList();
  }

  static void await(BooleanSupplier condition, Supplier<String> otherwise)
      throws InterruptedException {
    for (long end = System.nanoTime() + PATIENCE.toNanos(); !condition.getAsBoolean(); ) {
      assertTrue(System.nanoTime() < end, otherwise);
      Thread.sleep(5);
    }
  }
}
