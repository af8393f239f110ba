package io.pensieve.replication.ratis;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * How long a leader may count on leading: a majority has answered it, and votes for nobody else
 * until some time after it heard the question. The time runs from before the question was sent, so
 * it is over here before it is over there, however long this process pauses in between.
 *
 * <p>Not Ratis' own lease: any reply extends that, also the refusal of a follower that has a newer
 * leader.
 */
final class LeaderLease {
  private static final long NO_TERM = -1;

  private final long nanos;
  private final LongSupplier nanoTime;

  // All guarded by this.
  private long term = NO_TERM; // in which it was won

  private long begun; // when the last question was about to be sent that won it

  // Somebody may be told to stand for election, or be a member whom nobody asked.
  private long barredTerm = NO_TERM;

  private long earliest; // only questions since then can win it

  LeaderLease(long millis, LongSupplier nanoTime) {
    this.earliest = nanoTime.getAsLong();
    this.nanos = TimeUnit.MILLISECONDS.toNanos(millis);
    this.nanoTime = nanoTime;
  }

  /** A majority has answered a question of the leader of this term, which was sent after that. */
  synchronized void won(long leadersTerm, long beforeNanos) {
    boolean isBarred = leadersTerm == barredTerm || beforeNanos - earliest < 0;
    if (!isBarred && (leadersTerm != term || beforeNanos - begun > 0)) {
      term = leadersTerm;
      begun = beforeNanos;
    }
  }

  synchronized boolean holds(long leadersTerm) {
    return term == leadersTerm && nanoTime.getAsLong() - begun < nanos;
  }

  /** Whether half of it is over. */
  synchronized boolean isDue() {
    return nanoTime.getAsLong() - begun > nanos / 2;
  }

  /** It ends, and nothing wins it again in this term. */
  synchronized void bar(long leadersTerm) {
    barredTerm = leadersTerm;
    term = NO_TERM;
  }

  /** Nothing has come of what barred it: questions that are sent from now on may win it again. */
  synchronized void unbar(long leadersTerm) {
    if (barredTerm == leadersTerm) {
      barredTerm = NO_TERM;
      earliest = nanoTime.getAsLong();
    }
  }
}
