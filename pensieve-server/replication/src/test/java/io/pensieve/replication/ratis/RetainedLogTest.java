package io.pensieve.replication.ratis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** How much of the log stays for members that were away for a while. */
class RetainedLogTest {
  private static final int FRAME_BYTES = 64;
  private static final int RETAINED_BYTES = 6400;

  private final RetainedLog log = new RetainedLog(RETAINED_BYTES);

  @Test
  void nothingIsForgottenBeforeThereIsMoreThanStays() {
    log.applied(1, RETAINED_BYTES);
    assertEquals(-1, log.forgettable(1));
    log.applied(2, RETAINED_BYTES - 2 * FRAME_BYTES);
    assertEquals(-1, log.forgettable(2));
    log.applied(3, 0);
    assertEquals(1, log.forgettable(3));
  }

  @Test
  void nothingIsForgottenThatTheSnapshotLacks() {
    for (int i = 1; i <= 10; i++) {
      log.applied(i, RETAINED_BYTES);
    }
    assertEquals(9, log.forgettable(10));
    assertEquals(4, log.forgettable(4));
  }

  @Test
  void ofManySmallEntriesLittleMoreStaysThanIsAsked() {
    long last = 100_000;
    for (long i = 1; i <= last; i++) {
      log.applied(i, 0); // as the barriers of a cluster that is only read
    }
    long kept = (last - log.forgettable(last)) * FRAME_BYTES;
    assertTrue(kept >= RETAINED_BYTES && kept <= RETAINED_BYTES * 1.1, () -> kept + " bytes");
  }
}
