package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Readers, one writer who moves the time, and those who remove what has expired, all at once. */
@Timeout(120)
class ExpiryRaceTest {
  private static final String KEY = "key";
  private static final int WRITES = 100_000;
  private static final int LIFE_MILLIS = 10;

  private final ManualClock clock = new ManualClock();
  private final AtomicBoolean done = new AtomicBoolean();
  private final AtomicInteger roles = new AtomicInteger();
  private final Pensieve<String, Long> map =
      Pensieve.<String, Long>builder().maximumEntries(10).clock(clock).open();

  @AfterEach
  void close() {
    map.close();
  }

  private interface Step {
    void run() throws Exception;
  }

  // One thread writes, one removes, two read until the writer is done.
  private void race(Step write, Step read) throws Exception {
    ParallelRun.run(
        4,
        ExpiryRaceTest.class,
        random -> {
          int role = roles.getAndIncrement();
          if (role == 0) {
            try {
              for (int i = 0; i < WRITES; i++) {
                write.run();
              }
            } finally {
              done.set(true);
            }
          }
          while (!done.get()) {
            if (role == 1) {
              map.cleanUp();
            } else {
              read.run();
            }
          }
        });
  }

  // A value is the time at which it expires.
  private void put() {
    map.put(KEY, clock.millis() + LIFE_MILLIS, Duration.ofMillis(LIFE_MILLIS));
  }

  @Test
  void anExpiredValueIsNotTakenForOneWithANewLife() throws Exception {
    AtomicLong seen = new AtomicLong();
    put();
    race(
        () -> {
          clock.advance(LIFE_MILLIS + 1);
          put();
        },
        () -> {
          long now = clock.millis();
          Long value = map.get(KEY);
          assertTrue(value == null || value > now, "was over before the read began");
          Versioned<Long> read = map.getVersioned(KEY);
          if (read != null) {
            assertEquals(Optional.of(read.value()), read.expiry().map(end -> end.toEpochMilli()));
            seen.incrementAndGet();
          }
        });
    assertTrue(seen.get() > 0);
  }

  @Test
  void aValueThatIsWrittenAgainInTimeIsAlwaysThere() throws Exception {
    put();
    race(
        () -> {
          clock.advance(LIFE_MILLIS - 1);
          put();
        },
        () -> {
          assertNotNull(map.get(KEY));
          assertNotNull(map.getVersioned(KEY));
        });
    assertEquals(1, map.size());
  }

  @Test
  void whatHasLeftIsNotHeldUntilItsTime() {
    List<WeakReference<String>> keys = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      String key = "k" + i; // a new object each time
      keys.add(new WeakReference<>(key));
      map.put(key, 1L, Duration.ofDays(1));
    }
    map.clear();
    for (WeakReference<String> key : keys) {
      for (int tries = 0; key.get() != null; tries++) {
        assertTrue(tries < 20, "held, though it has left");
        System.gc();
      }
    }
  }
}
