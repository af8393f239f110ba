package io.pensieve.lru;

import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * The logical clock that stamps entries with the time of their last use.
 *
 * <p>While only one thread uses the table, a plain counter gives every use its own stamp: the order
 * of stamps is exactly the order of uses. If another thread arrives and the sole user has
 * terminated, it becomes the sole user. Once a second living thread arrives, the clock is shared
 * for good. It is then coarse, so that threads seldom write to the same place. An entry may then
 * seem colder than it is, and at most {@code lruErrorMax} entries may wrongly seem hotter than it.
 * Uses of one entry that overlap in time count as any one of them. The same may hold for uses that
 * a sole thread has in progress when the clock becomes shared.
 *
 * <p>A shared stamp is the value of the epoch at the use. Stamping an entry is a touch. A {@link
 * #sparing} clock does not stamp an entry again within {@link #slack} ticks of the epoch; any other
 * clock stamps at every use. Stripes count the touches, one thread to a stripe if possible. A
 * stripe advances the epoch by {@link #quantum} for each {@code quantum} touches. So the epoch
 * equals the number of touches, minus fewer than {@code quantum} in each stripe. Consider the
 * entries that were touched before the use of another one, and do not have an older stamp. They
 * were touched within {@code slack} ticks before that use. These are at most {@code slack} touches,
 * and one quantum for each stripe and for the current epoch.
 *
 * <p>Reading the stamp first can save a store, but costs an unpredictable branch. If another
 * processor has just stamped the entry, the read also waits for that store. With few processors
 * this costs more than it saves. With many, all processors would contend for the cache line of the
 * hottest entry at every use, so the clock is sparing.
 *
 * <p>Stripes are counted without atomic operations, which would wait until the store of the stamp
 * reaches the other processors. If two threads that share a stripe count at the same instant, one
 * touch is lost. There are at least twice as many stripes as processors, so this is rare. The epoch
 * never decreases.
 *
 * <p>The epoch starts above every stamp that a sole thread can give.
 */
final class RecencyClock {
  private static final long EPOCH_BEGIN = 1L << 62;

  // Measured with 2; with up to 4 processors, few contend for the cache line of one entry.
  private static final int FEW_PROCESSORS = 4;

  // Two cache lines, because processors fetch them in pairs.
  private static final int LINE_LONGS = 2 * 64 / Long.BYTES;
  private static final int EPOCH = LINE_LONGS;
  private static final int FIRST_STRIPE = EPOCH + LINE_LONGS;

  private final int stripes; // a power of two

  // Changed by `tolerate` alone. Plain, and read one after another: a use during that change may
  // count by the old values, or by a mixture. It makes the epoch advance by up to a quantum too
  // much
  // or too little, once.
  private long quantum;
  private long slack;
  private boolean sparing;
  private final boolean fewProcessors;

  // Null before the first use, and after the clock became shared. Written under the monitor.
  private volatile @Nullable Thread soleThread;
  private volatile boolean shared;

  // Written by the sole thread, and by the thread that opens the table, before it publishes the
  // table.
  private long soleTicks;

  // The epoch and the stripes, each on its own cache lines: a reader of one is not slowed by writes
  // to the others.
  private final AtomicLongArray counters;

  /** Creates a clock for the available processors. */
  RecencyClock(long lruErrorMax) {
    this(lruErrorMax, Runtime.getRuntime().availableProcessors());
  }

  RecencyClock(long lruErrorMax, int processors) {
    stripes = Integer.highestOneBit(4 * processors - 1);
    fewProcessors = processors <= FEW_PROCESSORS;
    tolerate(lruErrorMax);
    counters = new AtomicLongArray(FIRST_STRIPE + (stripes + 1) * LINE_LONGS);
    counters.setOpaque(EPOCH, EPOCH_BEGIN);
  }

  /**
   * Changes the maximum error for the uses from now on. Earlier uses keep the error that they were
   * recorded with.
   */
  void tolerate(long lruErrorMax) {
    quantum = Math.max(1, Long.highestOneBit(lruErrorMax / (stripes + 1)));
    slack = quantum == 1 ? lruErrorMax : lruErrorMax - quantum * (stripes + 1);
    sparing = quantum == 1 || !fewProcessors;
  }

  /** Records that an entry is used now. */
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

  // Afterwards the current thread is the sole one, or the clock is shared. `isAlive` returning
  // false makes visible what the terminated thread did, including its ticks.
  private synchronized void join() {
    Thread sole = soleThread;
    if (!shared && (sole == null || !sole.isAlive())) {
      soleThread = Thread.currentThread();
    } else {
      shared = true;
      soleThread = null;
    }
  }

  /** Whether a sole thread gave this stamp. Stamps up to such a stamp are in the order of uses. */
  static boolean isOfSoleThread(long stamp) {
    return stamp < EPOCH_BEGIN;
  }

  /** Starts the stamps above this one. Called before the table is used. */
  void startAfter(long stamp) {
    soleTicks = stamp;
  }
}
