package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Writers that are too far, by a clock that goes on by a millisecond whenever it is looked at. */
class PaceTest {
  private static final long MILLI = 1_000_000;

  private long millis;
  private final Pace pace = new Pace(1000, () -> ++millis * MILLI);

  private long millisOfAwaiting(long end, int bytes) {
    long before = millis;
    pace.await(end, bytes);
    return millis - before;
  }

  @Test
  void nobodyWaitsWhoIsNotTooFar() {
    assertEquals(0, millisOfAwaiting(1L << 60, 100));
    pace.freeUntil(500);
    assertEquals(0, millisOfAwaiting(500, 100));
  }

  @Test
  void whoIsTooFarWaitsForItsTurnEvenIfTheCompactorNeverComesOn() {
    pace.freeUntil(500);
    assertEquals(101, millisOfAwaiting(501, 100));
    assertEquals(11, millisOfAwaiting(511, 10));
  }

  @Test
  void timeThatNobodyUsedIsNotSavedUp() {
    pace.freeUntil(500);
    millis += 10_000;
    assertEquals(101, millisOfAwaiting(501, 100));
  }

  @Test
  void noTurnIsLongerThanASecond() {
    pace.freeUntil(500);
    assertEquals(1001, millisOfAwaiting(100_000_000, 90_000_000));
  }

  @Test
  void theCompactorLetsThoseGoOnThatWait() {
    Pace[] released = new Pace[1];
    long[] asked = {0};
    Pace waiting =
        new Pace(
            1000,
            () -> {
              if (++asked[0] == 5) {
                released[0].freeUntil(600);
              }
              return asked[0] * MILLI;
            });
    released[0] = waiting;
    waiting.freeUntil(500);
    waiting.await(600, 100);
    assertEquals(5, asked[0]);
  }
}
