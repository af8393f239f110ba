package io.pensieve.lru;

import java.util.Arrays;

/**
 * The slots with the lowest stamps, at a time, in the order of these stamps. Not thread-safe.
 *
 * <p>They are in two arrays. {@link #batch} is sorted and has the coldest. If it is used up, the
 * coldest few thousand of {@link #cold} become the next one.
 */
final class ColdestSlots {
  private static final int SAMPLE = 512;
  private static final int BATCH = 8192;
  private static final int START = 16; // in both arrays: room for nodes that come back

  // A candidate is a number: the distance of its stamp from `base`, then its slot.
  private static final int SLOT_BITS = 31;
  private static final long SLOT_MASK = (1L << SLOT_BITS) - 1;
  private static final int DISTANCE_BITS = Long.SIZE - 1 - SLOT_BITS;
  private static final long DISTANCE_MAX = (1L << DISTANCE_BITS) - 1;

  private static final int DIGIT_BITS = 11;
  private static final int FEW = 64; // a sort by comparisons is faster

  private long threshold; // 0: there are none
  private long base;
  private long[] cold = {};
  private int coldEnd = START;
  private long[] batch = {};
  private int next;
  private int end;
  private int used; // of the batch: after they were collected
  private long batchLast; // all candidates up to this one are in the batch
  private long nextStamp;

  /** The stamp up to which all slots are candidates. */
  long threshold() {
    return threshold;
  }

  /** The lowest stamp that a candidate can have. */
  long lowest() {
    return base;
  }

  void clear() {
    threshold = 0;
    coldEnd = START;
    used = 0;
    next = 0;
    end = 0;
  }

  /** Begins anew, with the slots up to a stamp, which are to be added. */
  void begin(long newThreshold) {
    clear();
    threshold = newThreshold;
    base = newThreshold - DISTANCE_MAX;
  }

  /** A stamp so that of candidates from this one on all fit. */
  static long thresholdFrom(long coldest) {
    return coldest + DISTANCE_MAX;
  }

  /** Adds a candidate while they are collected. Stamps below {@link #lowest} count as that one. */
  void collect(int slot, long stamp) {
    if (coldEnd >= cold.length) {
      cold = Arrays.copyOf(cold, 2 * coldEnd);
    }
    cold[coldEnd++] = candidate(slot, Math.max(stamp, base));
  }

  boolean isEmpty() {
    return next == end && coldEnd == START;
  }

  /** Whether {@link #next} has one; if not, {@link #sortMore} may find some. */
  boolean hasNext() {
    return next < end;
  }

  /** Removes the coldest candidate and returns its slot. */
  int next() {
    long candidate = batch[next++];
    nextStamp = base + (candidate >>> SLOT_BITS);
    return (int) (candidate & SLOT_MASK);
  }

  /** The stamp that the slot returned last had when it became a candidate. */
  long nextStamp() {
    return nextStamp;
  }

  private long candidate(int slot, long stamp) {
    return (stamp - base) << SLOT_BITS | slot;
  }

  /** The slot returned last has another stamp by now. */
  void wasUsed(int slot, long stamp) {
    used++;
    if (stamp <= threshold) {
      insert(slot, stamp);
    }
  }

  /** Inserts a slot with a stamp up to the threshold: its node came back, or has an old stamp. */
  void insert(int slot, long stamp) {
    long added = candidate(slot, stamp);
    if (stamp < base || next == 0) {
      clear();
    } else if (added > batchLast) {
      collect(slot, stamp);
    } else {
      int at = --next;
      for (; at + 1 < end && batch[at + 1] < added; at++) {
        batch[at] = batch[at + 1];
      }
      batch[at] = added;
    }
  }

  // ---- Batches

  /** Sorts the next few thousand. Returns how many candidates it had to look at. */
  int sortMore(RecencyClock clock) {
    int steps = coldEnd - START;
    if (used > 0 && 2 * used > end - START) {
      dropUsed(clock);
      steps += coldEnd - START;
    }
    used = 0;
    if (coldEnd - START <= 2 * BATCH) {
      takeAll();
    } else {
      takeUpTo(batchLimit());
    }
    sort(batch, next, end);
    return steps;
  }

  // Of what is in the batch, most was used. So it may be with the rest.
  private void dropUsed(RecencyClock clock) {
    int left = START;
    for (int i = START; i < coldEnd; i++) {
      int slot = (int) (cold[i] & SLOT_MASK);
      long stamp = clock.stampAt(slot);
      if (stamp <= threshold) {
        cold[left++] = candidate(slot, Math.max(stamp, base));
      }
    }
    coldEnd = left;
  }

  private long batchLimit() {
    int colds = coldEnd - START;
    long[] sample = new long[SAMPLE];
    for (int i = 0; i < SAMPLE; i++) {
      sample[i] = cold[START + (int) ((long) i * colds / SAMPLE)];
    }
    Arrays.sort(sample);
    return sample[(int) ((long) SAMPLE * BATCH / colds)];
  }

  private void takeAll() {
    long[] all = cold;
    cold = batch;
    batch = all;
    next = START;
    end = coldEnd;
    coldEnd = START;
    batchLast = Long.MAX_VALUE;
  }

  private void takeUpTo(long limit) {
    next = START;
    end = START;
    batchLast = limit;
    int left = START;
    for (int i = START; i < coldEnd; i++) {
      long candidate = cold[i];
      if (candidate > limit) {
        cold[left++] = candidate;
      } else {
        if (end >= batch.length) {
          batch = Arrays.copyOf(batch, 2 * end);
        }
        batch[end++] = candidate;
      }
    }
    coldEnd = left;
  }

  // By radix: a few passes, in whatever order the candidates are. Slots are given out in the order
  // of age, but threads that evict at the same time mix that up.
  private static void sort(long[] array, int from, int to) {
    long least = Long.MAX_VALUE;
    long greatest = 0;
    int inOrder = from;
    for (int i = from; i < to; i++) {
      least = Math.min(least, array[i]);
      inOrder += array[i] >= greatest ? 1 : 0;
      greatest = Math.max(greatest, array[i]);
    }
    if (inOrder == to) {
      return;
    } else if (to - from <= FEW) {
      Arrays.sort(array, from, to);
      return;
    }
    long origin = least & ~SLOT_MASK;
    int bits = Long.SIZE - Long.numberOfLeadingZeros(greatest - origin);
    long[] source = Arrays.copyOfRange(array, from, to);
    long[] target = new long[source.length];
    for (int shift = SLOT_BITS; shift < bits; shift += DIGIT_BITS) {
      sortByDigit(source, target, origin, shift, Math.min(DIGIT_BITS, bits - shift));
      long[] sorted = target;
      target = source;
      source = sorted;
    }
    System.arraycopy(source, 0, array, from, source.length);
  }

  private static void sortByDigit(
      long[] source, long[] target, long origin, int shift, int digitBits) {
    int mask = (1 << digitBits) - 1;
    int[] starts = new int[mask + 2];
    for (long candidate : source) {
      starts[(digits(candidate, origin, shift) & mask) + 1]++;
    }
    for (int digit = 1; digit <= mask; digit++) {
      starts[digit] += starts[digit - 1];
    }
    for (long candidate : source) {
      target[starts[digits(candidate, origin, shift) & mask]++] = candidate;
    }
  }

  private static int digits(long candidate, long origin, int shift) {
    return (int) ((candidate - origin) >>> shift);
  }
}
