package io.pensieve.lru;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A queue of timers by due time, to the millisecond: hierarchical timing wheels (Varghese and
 * Lauck, 1987). Adding and removing take O(1). Not thread-safe.
 *
 * <p>The structure is that of {@link StampRadixHeap}, with times in place of stamps. {@link #floor}
 * is a time that has passed; a timer due before it counts as due at it. Times are read as numbers
 * with digits of six bits: the lowest one counts milliseconds, the next ones 64 ms, 4 s, 4 min, 5
 * h. Two numbers name a timer's bucket: the highest digit in which its time differs from the floor,
 * and that digit's value. When the start time of a bucket has come, the floor rises to it, and the
 * bucket's timers move to lower digits. Timers leave the wheel from the lowest digit. So a timer
 * moves at most once for each digit.
 */
final class TimerWheel<K, V> {
  private static final int DIGIT_BITS = 6; // so that one long is a bit set of a digit's values
  private static final int DIGIT_VALUES = 1 << DIGIT_BITS;
  private static final int DIGIT_MASK = DIGIT_VALUES - 1;
  private static final int DIGITS = (Long.SIZE + DIGIT_BITS - 1) / DIGIT_BITS;

  // A timer's bucket number includes the wheel's generation: a wheel may replace one that an error
  // left broken.
  private static final int GENERATION_SHIFT = 10;
  private static final int BUCKET_MASK = (1 << GENERATION_SHIFT) - 1;
  private static final int GENERATION_MASK = Short.MAX_VALUE >> GENERATION_SHIFT;

  // How far the clock may be set back before all timers are sorted again. Up to that, timers are
  // late by as much.
  private static final long SET_BACK_MILLIS_MAX = 500;

  // A bucket is a circular list. The array holds the timer that was added first.
  private final @Nullable Timer<K, V>[] rings = newBuckets(DIGITS * DIGIT_VALUES);
  // For each digit, a bit for each value whose bucket is not empty.
  private final long[] occupied = new long[DIGITS];
  private final int generation;
  private long floor;

  /**
   * Creates an empty wheel.
   *
   * @param generation differs from that of the wheel that this one replaces
   */
  TimerWheel(long nowMillis, int generation) {
    this.floor = Math.max(0, nowMillis);
    this.generation = generation & GENERATION_MASK;
  }

  /** Whether the timer is in this wheel, and not in a wheel that this one replaced. */
  boolean has(Timer<K, V> timer) {
    return timer.bucket >>> GENERATION_SHIFT == generation;
  }

  /** Adds a timer that is not in this wheel, by its {@code dueMillis}. */
  void add(Timer<K, V> timer) {
    assert !has(timer);
    long due = Math.max(timer.dueMillis, floor);
    int highestDifference = Long.SIZE - 1 - Long.numberOfLeadingZeros((due ^ floor) | 1);
    int digit = highestDifference / DIGIT_BITS;
    int value = (int) (due >>> (digit * DIGIT_BITS)) & DIGIT_MASK;
    int bucket = digit * DIGIT_VALUES + value;
    Timer<K, V> first = rings[bucket];
    if (first == null) {
      rings[bucket] = timer;
      occupied[digit] |= 1L << value;
    } else {
      timer.linkBefore(first);
    }
    timer.bucket = (short) (generation << GENERATION_SHIFT | bucket);
  }

  /** Removes a timer that is in this wheel. */
  void remove(Timer<K, V> timer) {
    int bucket = timer.bucket & BUCKET_MASK;
    Timer<K, V> next = timer.next;
    if (next == timer) {
      clear(bucket);
    } else {
      if (rings[bucket] == timer) {
        rings[bucket] = next;
      }
      timer.unlink();
    }
    timer.bucket = -1;
  }

  /** Removes and returns the timer that has been due longest; null if none is due. */
  @Nullable Timer<K, V> poll(long nowMillis) {
    if (nowMillis < floor - SET_BACK_MILLIS_MAX) {
      sortAnew(nowMillis);
    }
    for (int digit = 0; digit < DIGITS; ) {
      if (occupied[digit] == 0) {
        digit++;
        continue;
      }
      int value = Long.numberOfTrailingZeros(occupied[digit]);
      long begin = (floor & above(digit)) | ((long) value << (digit * DIGIT_BITS));
      if (begin > nowMillis) {
        return null;
      }
      floor = begin;
      if (digit == 0) {
        return removeFirst(value);
      }
      takeAll(digit * DIGIT_VALUES + value).forEach(this::add);
      digit = 0;
    }
    return null;
  }

  /** Whether a timer may be due at this time. If false, none is. */
  boolean mayBeDue(long nowMillis) {
    if (nowMillis < floor) {
      return !isEmpty(); // the clock was set back
    }
    for (int digit = 0; digit < DIGITS; digit++) {
      if (occupied[digit] != 0) {
        int value = Long.numberOfTrailingZeros(occupied[digit]);
        return ((floor & above(digit)) | ((long) value << (digit * DIGIT_BITS))) <= nowMillis;
      }
    }
    return false;
  }

  /** Whether the wheel has no timers. */
  boolean isEmpty() {
    for (long values : occupied) {
      if (values != 0) {
        return false;
      }
    }
    return true;
  }

  private static long above(int digit) {
    return (long) -DIGIT_VALUES << (digit * DIGIT_BITS);
  }

  private Timer<K, V> removeFirst(int bucket) {
    Timer<K, V> timer = rings[bucket];
    assert timer != null : "an occupied bucket has a ring";
    remove(timer);
    return timer;
  }

  private List<Timer<K, V>> takeAll(int bucket) {
    List<Timer<K, V>> timers = new ArrayList<>();
    for (Timer<K, V> timer = rings[bucket]; timer != null && has(timer); ) {
      Timer<K, V> next = timer.next;
      timer.bucket = -1;
      timer.linkToSelf();
      timers.add(timer);
      timer = next;
    }
    clear(bucket);
    return timers;
  }

  private void sortAnew(long nowMillis) {
    List<Timer<K, V>> timers = new ArrayList<>();
    for (int bucket = 0; bucket < rings.length; bucket++) {
      timers.addAll(takeAll(bucket));
    }
    floor = Math.max(0, nowMillis);
    timers.forEach(this::add);
  }

  private void clear(int bucket) {
    rings[bucket] = null;
    occupied[bucket / DIGIT_VALUES] &= ~(1L << bucket % DIGIT_VALUES);
  }

  @SuppressWarnings("unchecked") // Java has no other way to create a generic array
  private static <K, V> @Nullable Timer<K, V>[] newBuckets(int length) {
    return (Timer<K, V>[]) new Timer<?, ?>[length];
  }
}
