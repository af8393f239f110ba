package io.pensieve.lru;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Timers in order of when they are due, to the millisecond: hierarchical timing wheels. Adding and
 * removing take O(1). Not thread-safe.
 *
 * <p>How it holds together: as in {@link StampRadixHeap}, with time in place of stamps. {@link
 * #floor} is a time that has come, and nothing is due before it, or it counts as due at it. A timer
 * lies in the bucket that is named by the highest digit in which its time differs from the floor,
 * and by the value of that digit (digits have six bits: the lowest one counts milliseconds, the
 * next one 64 ms, then 4 s, 4 min, 5 h). When the time has come at which a bucket begins, the floor
 * rises to there, and the bucket's timers go to lower digits; from the lowest one they are taken.
 * So a timer is moved at most once for each digit.
 */
final class TimerWheel<K, V> {
  private static final int DIGIT_BITS = 6; // so that one long tells which of a digit's values occur
  private static final int DIGIT_VALUES = 1 << DIGIT_BITS;
  private static final int DIGIT_MASK = DIGIT_VALUES - 1;
  private static final int DIGITS = (Long.SIZE + DIGIT_BITS - 1) / DIGIT_BITS;

  // A timer's place names the wheel, too: the successor of a wheel that an error has left broken.
  private static final int GENERATION_SHIFT = 10;
  private static final int BUCKET_MASK = (1 << GENERATION_SHIFT) - 1;
  private static final int GENERATION_MASK = Short.MAX_VALUE >> GENERATION_SHIFT;

  // What a clock may be set back before all timers are sorted anew; until then they are late by as
  // much.
  private static final long SET_BACK_MILLIS_MAX = 500;

  // A bucket is a ring, named by any of its timers: the one that was added first.
  private final @Nullable Timer<K, V>[] rings = newBuckets(DIGITS * DIGIT_VALUES);
  // For each digit, a bit for each of its values that has a ring.
  private final long[] occupied = new long[DIGITS];
  private final int generation;
  private long floor;

  /**
   * An empty wheel.
   *
   * @param generation another one than that of the wheel before, where this one takes its place
   */
  TimerWheel(long nowMillis, int generation) {
    this.floor = Math.max(0, nowMillis);
    this.generation = generation & GENERATION_MASK;
  }

  /** Whether the timer is in here, and not in a wheel that this one has replaced. */
  boolean has(Timer<K, V> timer) {
    return timer.bucket >>> GENERATION_SHIFT == generation;
  }

  /** Adds a timer, which is not in here, by its {@code dueMillis}. */
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

  /** Takes a timer out, which is in here. */
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

  /** Takes out a timer that is due, one that has been so for longest; null if none is. */
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

  /** Whether a timer may be due at this time. If not, none is. */
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

  /** Whether there is no timer. */
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

  @SuppressWarnings("unchecked") // an array of a generic type cannot be made otherwise
  private static <K, V> @Nullable Timer<K, V>[] newBuckets(int length) {
    return (Timer<K, V>[]) new Timer<?, ?>[length];
  }
}
