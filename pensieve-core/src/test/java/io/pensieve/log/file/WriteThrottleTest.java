package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Writers that are too far, by a clock that goes on by a millisecond whenever it is looked at. */
@Timeout(120)
class WriteThrottleTest {
  private static final long MILLI = 1_000_000;

  private final AtomicLong millis = new AtomicLong();
  private final WriteThrottle throttle =
      new WriteThrottle(1000, () -> millis.incrementAndGet() * MILLI);

  private long millisOfAwaiting(long end, int bytes) {
    long before = millis.get();
    FrameEncoder draft =
        FrameEncoder.of(new Change.Remove<String, String>("key"), Codec.utf8(), Codec.utf8());
    throttle.appended(end, bytes, draft);
    throttle.await(draft);
    return millis.get() - before;
  }

  @Test
  void nobodyWaitsWhoIsNotTooFar() {
    assertEquals(0, millisOfAwaiting(1L << 60, 100));
    throttle.freeUntil(500);
    assertEquals(0, millisOfAwaiting(500, 100));
    assertFalse(throttle.hasDebt());
  }

  @Test
  void whoIsTooFarWaitsForItsShareEvenIfTheCompactorNeverComesOn() {
    throttle.freeUntil(500);
    assertEquals(101, millisOfAwaiting(501, 100));
    assertEquals(11, millisOfAwaiting(511, 10));
    assertTrue(throttle.hasDebt());
  }

  @Test
  void timeThatNobodyUsedIsNotSavedUp() {
    throttle.freeUntil(500);
    millis.addAndGet(10_000);
    assertEquals(101, millisOfAwaiting(501, 100));
  }

  @Test
  void noShareIsLongerThanASecond() {
    AtomicLong looks = new AtomicLong();
    WriteThrottle coarse = new WriteThrottle(1000, () -> looks.getAndIncrement() * 100 * MILLI);
    coarse.freeUntil(500);
    FrameEncoder draft =
        FrameEncoder.of(new Change.Remove<String, String>("key"), Codec.utf8(), Codec.utf8());
    coarse.appended(100_000_000, 90_000_000, draft);
    coarse.await(draft);
    assertEquals(11, looks.get(), "a look at the beginning, and ten with 100 ms between them");
  }

  @Test
  void theCompactorLetsThoseGoOnThatWait() {
    WriteThrottle[] released = new WriteThrottle[1];
    long[] asked = {0};
    WriteThrottle waiting =
        new WriteThrottle(
            1000,
            () -> {
              if (++asked[0] == 5) {
                released[0].freeUntil(600);
              }
              return asked[0] * MILLI;
            });
    released[0] = waiting;
    waiting.freeUntil(500);
    FrameEncoder draft =
        FrameEncoder.of(new Change.Remove<String, String>("key"), Codec.utf8(), Codec.utf8());
    waiting.appended(600, 100, draft);
    waiting.await(draft);
    assertEquals(5, asked[0]);
  }

  /** A hundred writers of a megabyte each, by a clock that stands still until all of them wait. */
  @Test
  void writersThatAreLetGoTogetherLeaveNoDebt() throws Exception {
    AtomicLong now = new AtomicLong();
    AtomicLong step = new AtomicLong();
    WriteThrottle shared = new WriteThrottle(1 << 20, () -> now.addAndGet(step.get()));
    shared.freeUntil(500);
    CountDownLatch waiting = new CountDownLatch(100);
    List<Thread> writers = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      Thread writer =
          new Thread(
              () -> {
                FrameEncoder draft =
                    FrameEncoder.of(
                        new Change.Remove<String, String>("key"), Codec.utf8(), Codec.utf8());
                shared.appended(1000, 1 << 20, draft);
                waiting.countDown();
                shared.await(draft);
              });
      writers.add(writer);
      writer.start();
    }
    waiting.await();
    shared.freeUntil(Long.MAX_VALUE); // the compaction is over
    for (Thread writer : writers) {
      writer.join();
    }
    assertEquals(0, now.get(), "nobody needed the time");
    shared.freeUntil(500);
    step.set(MILLI);
    FrameEncoder draft =
        FrameEncoder.of(new Change.Remove<String, String>("key"), Codec.utf8(), Codec.utf8());
    shared.appended(1000, 1 << 18, draft);
    shared.await(draft);
    assertEquals(251 * MILLI, now.get(), "a quarter of a second for a quarter of a MiB");
  }

  @Test
  void anInterruptedWriterWaitsAsOthersDoAndKeepsItsFlag() {
    throttle.freeUntil(500);
    Thread.currentThread().interrupt();
    assertEquals(101, millisOfAwaiting(501, 100));
    assertTrue(Thread.interrupted());
  }
}
