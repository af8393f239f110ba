package io.pensieve.lru;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * The logical clock that stamps entries with the time of their last use, and the stamps.
 *
 * <p>While only one thread uses the table, a plain counter gives every use its own stamp: the order
 * of stamps is exactly the order of uses. If another thread arrives and the sole user has
 * terminated, it becomes the sole user. Once a second living thread arrives, the clock is shared
 * for good. It is then coarse, so that threads seldom write to the same place. An entry may then
 * seem colder than it is, and at most {@code lruErrorMax} entries may wrongly seem hotter than it.
 * Uses of one entry that overlap in time count as any one of them. The same may hold for uses that
 * a sole thread has in progress when the clock becomes shared.
 *
 * <p><b>Slots.</b> An entry in the eviction order has a slot: a number from {@link #FIRST_SLOT} on.
 * {@link #stamps} has its stamp there, in arrays that never move, because readers write without a
 * lock. So one scan over arrays finds the coldest entries, and no node is written by a hit. Before
 * its first put has given the entry a slot, the node holds the lower bits of its stamp in place of
 * the slot, and other threads do not record uses: these overlap that put.
 *
 * <p><b>Lanes.</b> If a shared table is small enough, a hit stores the epoch in one of {@link
 * #LANES} arrays of ints instead, one for each group of threads: then it writes no line that many
 * other threads write. The stamp of an entry is the latest of its stamp and its marks. Measured
 * with two processors: beyond {@link #LANES_ENTRIES_MAX} entries the marks are a second miss.
 *
 * <p><b>A slot gets another entry</b> when the one before it is dead. A late reader of the dead one
 * may still store there. It has read the epoch <i>before</i> it found the value, so before the
 * death; the next entry's stamp is read <i>after</i> the death, and so is not smaller. What the
 * late reader overwrites may be a use of the next entry by its own lane: then that entry counts as
 * used when it was put. That takes a reader that stops between its look-up and its store while its
 * entry becomes the coldest, and concerns one entry for each such reader.
 *
 * <p><b>Wrap.</b> A mark is the lower half of an odd number, so never 0, which means "none". It is
 * read as the nearest epoch to the present one. Each {@link #ADVANCES_TO_SETTLE} advances of the
 * epoch the advancing thread looks at the marks of {@link #SLOTS_TO_SETTLE} slots, and moves those
 * that are older than a quarter of their range into the stamps: first the stamp is raised, then the
 * mark is cleared. Who reads them does so in the other order: the marks, then the stamp. A whole
 * round takes far less than a quarter of the range. A thread would have to stop between two
 * instructions for half the range, 2^30 epochs, to do harm.
 *
 * <p><b>Counting.</b> Stripes count the uses, one thread to a stripe if possible. A stripe advances
 * the epoch if that has stayed the same while it counted {@link #quantum} uses; otherwise it counts
 * again from the present epoch on. So within one epoch a stripe counts fewer than two quanta, and
 * all stripes together at most {@code lruErrorMax} uses. The entries that wrongly seem hotter than
 * another one are among these. Counting takes no atomic operation: if two threads that share a
 * stripe count at the same instant, one use is not counted. There are at least twice as many
 * stripes as processors, so this is rare. The epoch never decreases, and starts above every stamp
 * that a sole thread can give.
 *
 * <p>If {@code lruErrorMax} is too small for that, every use of an entry that was not used within
 * the last {@link #slack} ticks advances the epoch, by an atomic operation.
 *
 * <p>With few processors a hit stores without looking. With many, all of a lane would contend for
 * the line of the hottest entry at every use, so the clock is sparing: it looks first.
 */
final class RecencyClock {
  /** The smallest slot. The highest bit of a slot names its chunk, so all chunks have some size. */
  static final int FIRST_SLOT = 256;

  /** How many chunks there may be. A slot's chunk is the number of its leading zeros. */
  static final int CHUNKS = Integer.SIZE + 1;

  private static final long EPOCH_BEGIN = 1L << 62 | 1; // odd, as all epochs
  private static final int TICK = 2;
  private static final int PENDING = Integer.MIN_VALUE; // in place of a slot, with bits of a stamp

  private static final int LANES = 4;
  private static final int LANES_ENTRIES_MAX = 1 << 16;
  private static final int SLOTS_TO_SETTLE = 64 / Integer.BYTES;
  private static final int ADVANCES_TO_SETTLE = 64;

  // Measured with 2; with up to 4 processors, few contend for the cache line of one entry.
  private static final int FEW_PROCESSORS = 4;

  // Two cache lines, because processors fetch them in pairs.
  private static final int LINE_LONGS = 2 * 64 / Long.BYTES;
  private static final int EPOCH = LINE_LONGS;
  private static final int FIRST_STRIPE = EPOCH + LINE_LONGS;
  private static final int SEEN = 1; // behind a stripe's count: the epoch with which it began

  private static final VarHandle STAMPS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle MARKS = MethodHandles.arrayElementVarHandle(int[].class);

  private final int stripes; // a power of two

  // Changed by `setError` alone. Plain, and read one after another: a use during that change may
  // count by the old values, or by a mixture. It makes the epoch advance by up to a quantum too
  // much or too little, once.
  private long quantum;
  private long slack;
  private final boolean sparing;
  private final boolean hasLanes;
  private final int markShift; // of the bits of a mark that do not count
  private final int ticksToSettle; // a power of two

  // Null before the first use, and after the clock became shared. Written under the monitor.
  private volatile @Nullable Thread soleThread;
  private volatile boolean shared;

  // Written by the sole thread, and by the thread that opens the table, before it publishes the
  // table.
  private long soleTicks;

  // The epoch and the stripes, each on its own cache lines: a reader of one is not slowed by writes
  // to the others.
  private final AtomicLongArray counters;

  // By chunk and place in it. A chunk is added under the monitor, before a node has one of its
  // slots.
  private final long[] @Nullable [] stamps = new long[CHUNKS][];

  // By lane, chunk and place. Added under the monitor, once the clock is shared.
  private final int[][] @Nullable [] marks = new int[LANES][CHUNKS][];

  private int nextToSettle = FIRST_SLOT; // racy: two threads may settle the same marks

  /** Creates a clock for the available processors. */
  RecencyClock(long lruErrorMax, long entriesMax) {
    this(
        lruErrorMax,
        entriesMax <= LANES_ENTRIES_MAX,
        Runtime.getRuntime().availableProcessors(),
        Integer.SIZE,
        ADVANCES_TO_SETTLE);
  }

  RecencyClock(
      long lruErrorMax, boolean hasLanes, int processors, int markBits, int advancesToSettle) {
    stripes = Integer.highestOneBit(4 * processors - 1);
    setError(lruErrorMax);
    sparing = processors > FEW_PROCESSORS;
    this.hasLanes = hasLanes && quantum > 1;
    markShift = Integer.SIZE - markBits;
    ticksToSettle = TICK * advancesToSettle;
    counters = new AtomicLongArray(FIRST_STRIPE + (stripes + 1) * LINE_LONGS);
    counters.set(EPOCH, EPOCH_BEGIN);
  }

  /**
   * Changes the maximum error for the uses from now on. Earlier uses keep the error that they were
   * recorded with. A new epoch begins, so that a later use differs from all of them.
   */
  void tolerate(long lruErrorMax) {
    setError(lruErrorMax);
    advance();
  }

  private void setError(long lruErrorMax) {
    quantum = Math.max(1, (lruErrorMax / stripes + 1) / 2);
    slack = TICK * lruErrorMax;
  }

  // ---- Uses

  /** The present epoch, to be read before a look-up; 0 while the clock is not shared. */
  long epoch() {
    return shared ? counters.getAcquire(EPOCH) : 0;
  }

  /** Records that an entry is used, by a thread that read the epoch before it found the value. */
  void record(Node<?, ?> node, long epoch) {
    int slot = node.slot();
    if (slot < FIRST_SLOT) {
      return;
    }
    if (epoch != 0) {
      recordShared(slot, epoch);
    } else if (soleThread == Thread.currentThread()) {
      set(slot, ++soleTicks);
    } else {
      recordOfNewThread(slot);
    }
  }

  /** Records that an entry is used now, by the thread that holds the node's lock. */
  void record(Node<?, ?> node) {
    if (node.slot() == 0) {
      node.slot((int) nextStamp() | PENDING);
    } else {
      record(node, epoch());
    }
  }

  private void recordOfNewThread(int slot) {
    if (!shared) {
      join();
    }
    if (shared) {
      recordShared(slot, counters.getAcquire(EPOCH));
    } else {
      set(slot, ++soleTicks);
    }
  }

  private long nextStamp() {
    if (soleThread != Thread.currentThread() && !shared) {
      join();
    }
    if (!shared) {
      return ++soleTicks;
    }
    if (quantum == 1) {
      return advance();
    }
    long epoch = counters.getAcquire(EPOCH);
    count(stripe());
    return epoch;
  }

  private int stripe() {
    return (int) Thread.currentThread().getId() & (stripes - 1);
  }

  private void recordShared(int slot, long epoch) {
    if (quantum == 1) {
      if (counters.getOpaque(EPOCH) - stampAt(slot) > slack) {
        set(slot, advance());
      }
      return;
    }
    int stripe = stripe();
    int chunk = chunk(slot);
    int place = place(slot, chunk);
    int[] lane = marks[stripe & LANES - 1][chunk];
    if (lane != null) {
      if (!sparing || (int) MARKS.getOpaque(lane, place) != (int) epoch) {
        MARKS.setRelease(lane, place, (int) epoch);
      }
    } else {
      long[] all = stamps[chunk];
      if (all != null && (!sparing || (long) STAMPS.getOpaque(all, place) < epoch)) {
        STAMPS.setRelease(all, place, epoch);
      }
    }
    count(stripe);
  }

  private void count(int stripe) {
    int counter = FIRST_STRIPE + stripe * LINE_LONGS;
    long left = counters.getOpaque(counter) - 1;
    counters.setOpaque(counter, left);
    if (left <= 0) {
      endQuantum(counter);
    }
  }

  private long advance() {
    long epoch = counters.addAndGet(EPOCH, TICK);
    settleInTime(epoch);
    return epoch;
  }

  private void settleInTime(long epoch) {
    if (hasLanes && (epoch & ticksToSettle - 1) == 1) {
      settleSomeMarks(epoch);
    }
  }

  private void endQuantum(int counter) {
    counters.setOpaque(counter, quantum);
    long epoch = counters.get(EPOCH);
    if (epoch == counters.getOpaque(counter + SEEN)
        && counters.compareAndSet(EPOCH, epoch, epoch + TICK)) {
      epoch += TICK;
      settleInTime(epoch);
    }
    counters.setOpaque(counter + SEEN, epoch);
  }

  // Afterwards the current thread is the sole one, or the clock is shared. `isAlive` returning
  // false makes visible what the terminated thread did, including its ticks.
  private synchronized void join() {
    Thread sole = soleThread;
    if (!shared && (sole == null || !sole.isAlive())) {
      soleThread = Thread.currentThread();
    } else {
      for (int chunk = 0; chunk < CHUNKS && !shared; chunk++) {
        long[] present = stamps[chunk];
        if (present != null) {
          addMarks(chunk, present.length);
        }
      }
      shared = true;
      soleThread = null;
    }
  }

  // ---- Stamps and marks

  static int chunk(int slot) {
    return Integer.numberOfLeadingZeros(slot);
  }

  static int place(int slot, int chunk) {
    return slot & (Integer.MAX_VALUE >>> chunk);
  }

  /** Makes room for the slots of a chunk. */
  synchronized void addChunk(int chunk, int length) {
    if (shared) {
      addMarks(chunk, length);
    }
    stamps[chunk] = new long[length];
  }

  /** Forgets all slots. Called before the table is used. */
  synchronized void dropChunks() {
    Arrays.fill(stamps, null);
  }

  private void addMarks(int chunk, int length) {
    for (int lane = 0; lane < LANES && hasLanes; lane++) {
      marks[lane][chunk] = new int[length];
    }
  }

  /** The time of an entry's last use: a larger stamp is a later use. */
  long stampOf(Node<?, ?> node) {
    int slot = node.slot();
    return slot < FIRST_SLOT ? stampOfPending(slot) : stampAt(slot);
  }

  /**
   * The stamp of a node that is in no order yet: the latest possible time of its first put, whose
   * lower bits it has.
   */
  long stampOfPending(int pending) {
    long now = latest();
    long stamp = now - ((int) now - pending & Integer.MAX_VALUE);
    return shared ? Math.max(EPOCH_BEGIN, stamp) : stamp;
  }

  /** The stamp at a slot. What the using thread did before that use is visible. */
  long stampAt(int slot) {
    int chunk = chunk(slot);
    return stampAt(chunk, place(slot, chunk));
  }

  /** As {@link #stampAt(int)}. */
  long stampAt(int chunk, int place) {
    long latest = hasLanes && shared ? latestMark(chunk, place) : 0;
    long[] all = stamps[chunk];
    return all == null ? latest : Math.max(latest, (long) STAMPS.getAcquire(all, place));
  }

  /** The stamps of a chunk, if they alone count there; otherwise null. */
  long @Nullable [] onlyStamps(int chunk) {
    return hasLanes && shared ? null : stamps[chunk];
  }

  /** A stamp up to which there may be nodes; few or none have a later one. */
  long latest() {
    return shared ? counters.getAcquire(EPOCH) : soleTicks;
  }

  private long latestMark(int chunk, int place) {
    long now = counters.getOpaque(EPOCH);
    long latest = 0;
    for (int[] @Nullable [] lane : marks) {
      int[] present = lane[chunk];
      int mark = present == null ? 0 : (int) MARKS.getAcquire(present, place);
      if (mark != 0) {
        latest = Math.max(latest, now - age(now, mark));
      }
    }
    return latest;
  }

  // Of the epochs with these lower bits, the nearest: below 0 if it is later than now.
  private long age(long now, int mark) {
    int ticks = ((int) now - mark) << markShift;
    return ticks >> markShift;
  }

  /**
   * Gives a slot to a node whose first put has this stamp.
   *
   * @return its stamp, which may be a later one
   */
  long assign(int slot, long stamp) {
    long given = shared && quantum > 1 ? Math.max(stamp, counters.getAcquire(EPOCH)) : stamp;
    set(slot, given);
    return given;
  }

  /** Raises the stamp at a slot. */
  void raise(int slot, long stamp) {
    int chunk = chunk(slot);
    raise(stamps[chunk], place(slot, chunk), stamp);
  }

  private void set(int slot, long stamp) {
    int chunk = chunk(slot);
    long[] all = stamps[chunk];
    if (all != null) {
      STAMPS.setRelease(all, place(slot, chunk), stamp);
    }
  }

  private static void raise(long @Nullable [] all, int place, long stamp) {
    if (all == null) {
      return;
    }
    for (long present; (present = (long) STAMPS.getAcquire(all, place)) < stamp; ) {
      if (STAMPS.compareAndSet(all, place, present, stamp)) {
        return;
      }
    }
  }

  private void settleSomeMarks(long now) {
    int slot = nextToSettle;
    int chunk = chunk(slot);
    int place = place(slot, chunk);
    long[] all = stamps[chunk];
    int end = all == null ? 0 : Math.min(all.length, place + SLOTS_TO_SETTLE);
    for (int at = place; at < end; at++) {
      settleMarks(chunk, at, now);
    }
    if (all != null && end < all.length) {
      nextToSettle = slot + SLOTS_TO_SETTLE;
    } else {
      nextToSettle = all == null ? FIRST_SLOT : Integer.highestOneBit(slot) << 1;
    }
  }

  private void settleMarks(int chunk, int place, long now) {
    long settledAge = 1L << (Integer.SIZE - markShift - 2);
    for (int[] @Nullable [] lane : marks) {
      int[] present = lane[chunk];
      int mark = present == null ? 0 : (int) MARKS.getAcquire(present, place);
      if (present != null && mark != 0 && age(now, mark) > settledAge) {
        raise(stamps[chunk], place, now - age(now, mark));
        MARKS.compareAndSet(present, place, mark, 0);
      }
    }
  }

  // ---- The sole thread

  /** Whether a sole thread gave this stamp. Stamps up to such a stamp are in the order of uses. */
  static boolean isOfSoleThread(long stamp) {
    return stamp < EPOCH_BEGIN;
  }

  /** Starts the stamps above this one. Called before the table is used. */
  void startAfter(long stamp) {
    soleTicks = stamp;
  }
}
