package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What has expired is removed by the map itself, whatever one turn of it has met. */
@Timeout(120)
class ExpiryReaperTest {
  private static final String EXPIRER = "pensieve-expiry-reaper";

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatIsThrownInOneTurnIsOverWithIt(boolean error) throws Exception {
    AtomicBoolean thrown = new AtomicBoolean();
    CountDownLatch expired = new CountDownLatch(19); // perhaps not for the one that has thrown
    Comparator<String> order =
        Comparator.comparing(
            key -> {
              boolean here = Thread.currentThread().getName().equals(EXPIRER);
              if (here && thrown.compareAndSet(false, true)) {
                throwOnce(error);
              }
              return key;
            });
    try (Pensieve<String, String> map =
        Pensieve.<String, String>builder()
            .orderKeys(order)
            .removalListener((key, value, cause) -> expired.countDown())
            .open()) {
      assertFalse(map.orderedKeys().iterator().hasNext()); // from now on removals compare keys
      for (int i = 0; i < 20; i++) {
        map.put("key" + i, "value", Duration.ofMillis(1));
      }
      expired.await();
      assertTrue(thrown.get());
      assertEquals(0, map.size());
    }
  }

  private static void throwOnce(boolean error) {
    if (error) {
      throw new AssertionError("thrown by a test's comparator");
    }
    throw new IllegalStateException("thrown by a test's comparator");
  }

  @Test
  void aThreadThatCannotBeStartedIsTriedAgainAndNoWriterIsToldOfIt() throws Exception {
    AtomicInteger refused = new AtomicInteger();
    CountDownLatch started = new CountDownLatch(1);
    ExpiryReaper reaper =
        new ExpiryReaper(
            work -> {
              if (refused.incrementAndGet() <= 2) {
                throw new OutOfMemoryError("a test's: unable to create native thread");
              }
              Thread thread = new Thread(work);
              started.countDown();
              return thread;
            });
    reaper.ensureStarted();
    assertEquals(0, refused.get(), "there is no map yet");
    try (ReapedMap map = new ReapedMap()) {
      reaper.attach(map.contents().table);
      assertEquals(1, refused.get());
      reaper.ensureStarted();
      assertEquals(2, refused.get());
      reaper.ensureStarted();
      started.await();
      reaper.ensureStarted();
      assertEquals(3, refused.get(), "one thread is enough");
      reaper.stop();
    }
  }

  @Test
  void aThreadThatHasEndedAllTheSameHasASuccessor() throws Exception {
    AtomicInteger threads = new AtomicInteger();
    @Nullable Thread[] last = new Thread[1];
    ExpiryReaper reaper =
        new ExpiryReaper(
            work -> {
              Thread thread =
                  new Thread(threads.incrementAndGet() == 1 ? ExpiryReaperTest::end : work);
              last[0] = thread;
              return thread;
            });
    try (ReapedMap map = new ReapedMap()) {
      reaper.attach(map.contents().table);
      reaper.ensureStarted();
      assertEquals(1, threads.get());
      Thread first = last[0];
      assertTrue(first != null);
      first.join();
      reaper.ensureStarted();
      assertEquals(2, threads.get());
      reaper.stop();
    }
  }

  private static void end() {}

  /** A map whose table is served by an expirer of the test's own. */
  private record ReapedMap(Pensieve<String, String> contents) implements AutoCloseable {
    ReapedMap() {
      this(Pensieve.<String, String>builder().open());
    }

    @Override
    public void close() {
      contents.close();
    }
  }
}
