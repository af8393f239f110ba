package io.pensieve.lru;

import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * The logical clock that stamps entries with the time of their last use.
 *
 * <p>As long as one thread alone uses the table, every use gets a stamp of its own from a plain
 * counter: the order of stamps is exactly the order of uses. A thread that finds the sole user
 * ended takes its place. From the moment a second living thread is seen, the clock is shared for
 * good, and coarse, so that threads seldom write to the same place: an entry may then seem colder
 * than it is, and at most {@code lruErrorMax} entries be taken for hotter than it wrongly. Uses of
 * one entry that overlap in time count as one of them, whichever, and so may those that a sole
 * thread is in the middle of when the clock becomes shared.
 *
 * <p>How it holds: a shared stamp is the epoch, as it is when an entry is used. To stamp an entry
 * is a touch. A {@link #sparing} clock leaves an entry alone that was stamped within the last
 * {@link #slack} ticks of the epoch; any other clock stamps at every use. Touches are counted by
 * stripes, a thread to a stripe if possible, and a stripe advances the epoch by {@link #quantum}
 * for each {@code quantum} touches. So the epoch counts touches, but for fewer than {@code quantum}
 * in each stripe. The entries that were touched before another one was used, and do not have an
 * older stamp, were touched within {@code slack} ticks before it: these are at most {@code slack}
 * touches, and one quantum for each stripe and for the current epoch.
 *
 * <p>Looking before storing saves a store, but the look is a branch that nobody can predict, and
 * where another processor has just stamped the entry, it waits for that. So with few processors it
 * costs more than it saves. With many, a clock that is not sparing would have them all take the
 * cache line of the hottest entry from one another at each of its uses.
 *
 * <p>Stripes are counted without atomic operations, which would have to wait for the store of the
 * stamp to reach the other processors. Two threads that share a stripe and meet in the same instant
 * lose a touch; there are twice as many stripes as processors, so that this is rare. The epoch is
 * never set back.
 *
 * <p>The epoch begins above every stamp that a sole thread can give.
 */
final class RecencyClock {
  private static final long EPOCH_BEGIN = 1L << 62;

  // Measured with two; the line of one entry goes around among no more than these.
  private static final int FEW_PROCESSORS = 4;

  // Two cache lines, because processors fetch them in pairs.
  private static final int LINE_LONGS = 2 * 64 / Long.BYTES;
  private static final int EPOCH = LINE_LONGS;
  private static final int FIRST_STRIPE = EPOCH + LINE_LONGS;

  private final int stripes; // a power of two
  private final long quantum;
  private final long slack;
  private final boolean sparing;

  // Null before the first use, and after the clock has become shared. Written under the monitor.
  private volatile @Nullable Thread soleThread;
  private volatile boolean shared;

  // Only the sole thread writes it, and the thread that opens the table, before it is published.
  private long soleTicks;

  // The epoch and the stripes, a line each: nobody who reads the one is disturbed by the others.
  private final AtomicLongArray counters;

  /** A clock for the processors that there are. */
  RecencyClock(long lruErrorMax) {
    this(lruErrorMax, Runtime.getRuntime().availableProcessors());
  }

  RecencyClock(long lruErrorMax, int processors) {
    stripes = Integer.highestOneBit(4 * processors - 1);
    quantum = Math.max(1, Long.highestOneBit(lruErrorMax / (stripes + 1)));
    slack = quantum == 1 ? lruErrorMax : lruErrorMax - quantum * (stripes + 1);
    sparing = quantum == 1 || processors > FEW_PROCESSORS;
    counters = new AtomicLongArray(FIRST_STRIPE + (stripes + 1) * LINE_LONGS);
    counters.setOpaque(EPOCH, EPOCH_BEGIN);
  }

  /** Notes that an entry has been used now. */
  void stamp(Node<?, ?> node) {
    if (soleThread == Thread.currentThread()) {
      node.stamp(++soleTicks);
    } else if (shared) {
      stampShared(node);
    } else {
      join();
      stamp(node);
    }
  }

  private void stampShared(Node<?, ?> node) {
    long epoch = counters.getOpaque(EPOCH);
    if (sparing && epoch - node.stamp() <= slack) {
      return;
    }
    if (quantum == 1) {
      node.stamp(counters.incrementAndGet(EPOCH));
      return;
    }
    node.stamp(epoch);
    int stripe = (int) Thread.currentThread().getId() & (stripes - 1);
    int counter = FIRST_STRIPE + stripe * LINE_LONGS;
    long touches = counters.getOpaque(counter) + 1;
    counters.setOpaque(counter, touches);
    if ((touches & (quantum - 1)) == 0) {
      counters.addAndGet(EPOCH, quantum);
    }
  }

  // Afterwards the current thread is the sole one, or the clock is shared. What a thread did that
  // is found ended, its ticks too, is visible to whoever finds it so.
  private synchronized void join() {
    Thread sole = soleThread;
    if (!shared && (sole == null || !sole.isAlive())) {
      soleThread = Thread.currentThread();
    } else {
      shared = true;
      soleThread = null;
    }
  }

  /** Whether a sole thread gave this stamp, so that stamps up to it are in the order of uses. */
  static boolean isOfSoleThread(long stamp) {
    return stamp < EPOCH_BEGIN;
  }

  /** Every stamp from now on is above this one. Before the table is used. */
  void startAfter(long stamp) {
    soleTicks = stamp;
  }
}
