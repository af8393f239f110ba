package io.pensieve.replication.ratis;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** When a leader may answer by itself, and when it must ask. */
final class LeaderLeaseTest {
  private long millis = 10_000;
  private final LeaderLease lease = new LeaderLease(500, this::now);

  private long now() {
    return TimeUnit.MILLISECONDS.toNanos(millis);
  }

  @Test
  void itRunsFromBeforeTheQuestionAndNotFromTheAnswer() {
    assertFalse(lease.holds(7), "not won yet");
    long asked = now();
    millis += 400;
    lease.won(7, asked);
    assertTrue(lease.holds(7));
    millis += 99;
    assertTrue(lease.holds(7));
    millis++;
    assertFalse(lease.holds(7));
  }

  @Test
  void aPauseBeforeTheAnswerWinsNothing() {
    long asked = now();
    millis += 5_000; // the process is stopped, and another member leads
    lease.won(7, asked);
    assertFalse(lease.holds(7));
  }

  @Test
  void anOlderQuestionThatIsAnsweredLateShortensNothing() {
    long first = now();
    millis += 100;
    lease.won(7, now());
    lease.won(7, first);
    millis += 450;
    assertTrue(lease.holds(7));
  }

  @Test
  void itIsOfOneTerm() {
    lease.won(7, now());
    assertFalse(lease.holds(8));
    lease.won(8, now());
    assertTrue(lease.holds(8));
    assertFalse(lease.holds(7));
  }

  @Test
  void whoHandsOverHasNone() {
    lease.won(7, now());
    lease.bar(7);
    assertFalse(lease.holds(7));
    lease.won(7, now());
    assertFalse(lease.holds(7), "another member may stand for election at any time");
    long asked = now();
    millis++;
    lease.unbar(7);
    assertFalse(lease.holds(7));
    lease.won(7, asked);
    assertFalse(lease.holds(7), "it was asked before");
    lease.won(7, now());
    assertTrue(lease.holds(7));
    lease.bar(7);
    lease.won(8, now());
    assertTrue(lease.holds(8), "the next term is another one");
  }

  @Test
  void itIsWonAgainBeforeItEnds() {
    lease.won(7, now());
    assertFalse(lease.isDue());
    millis += 300;
    assertTrue(lease.isDue());
    assertTrue(lease.holds(7));
  }
}
