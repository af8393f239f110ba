package io.pensieve.lru;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.testing.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Timers come out when they are due, to the millisecond, and no sooner. */
class TimerWheelTest {
  private final Random random = Seed.random(TimerWheelTest.class);
  private final List<Timer<Integer, Integer>> in = new ArrayList<>();
  private long now = 1_700_000_000_000L;
  private final TimerWheel<Integer, Integer> wheel = new TimerWheel<>(now, 7);
  private int keys;

  @Test
  void aTimerIsDueAtItsTimeAndNotAMillisecondBefore() {
    for (long wait = 1; wait < 1L << 52; wait = wait * 3 + random.nextInt(7)) {
      add(now + wait);
      assertNull(wheel.poll(now + wait - 1), "after " + wait);
      assertPolledUpTo(now + wait);
    }
  }

  @Test
  void timersComeInTheOrderOfTheirTimes() {
    for (int i = 0; i < 2_000; i++) {
      add(now + random.nextInt(1 << random.nextInt(30)));
    }
    long last = 0;
    for (Timer<Integer, Integer> timer; (timer = wheel.poll(Long.MAX_VALUE - 1)) != null; ) {
      assertTrue(timer.dueMillis >= last);
      last = timer.dueMillis;
    }
    assertTrue(wheel.isEmpty());
  }

  @Test
  void anyHistoryGivesWhatIsDueAndKeepsTheRest() {
    for (int i = 0; i < 200_000; i++) {
      switch (random.nextInt(5)) {
        case 0, 1 -> add(now + (random.nextLong() >>> (16 + random.nextInt(47))));
        case 2 -> removeAny();
        case 3 -> now += random.nextLong() >>> (20 + random.nextInt(43));
        default -> assertPolledUpTo(now);
      }
    }
    assertPolledUpTo(Long.MAX_VALUE - 1);
    assertTrue(wheel.isEmpty());
  }

  @Test
  void whatIsDueAlreadyComesAtOnce() {
    add(now - 1_000_000);
    add(Long.MIN_VALUE);
    assertPolledUpTo(now);
  }

  @Test
  void whatIsNeverDueNeverComes() {
    add(Long.MAX_VALUE - 1);
    assertNull(wheel.poll(Long.MAX_VALUE - 2));
    removeAny();
    assertTrue(wheel.isEmpty());
  }

  @Test
  void aClockThatIsSetBackDoesNotMakeTimersLate() {
    add(now + 10_000);
    now += 1_000_000;
    assertPolledUpTo(now);
    now -= 900_000;
    add(now + 100);
    add(now + 800_000);
    assertNull(wheel.poll(now));
    add(now + 50);
    now += 120;
    assertPolledUpTo(now);
    assertEquals(1, in.size());
  }

  private void add(long due) {
    Timer<Integer, Integer> timer = new Timer<>(new Node<>(keys++), due);
    timer.dueMillis = due;
    wheel.add(timer);
    in.add(timer);
  }

  private void removeAny() {
    if (!in.isEmpty()) {
      Timer<Integer, Integer> last = in.remove(in.size() - 1);
      int index = in.isEmpty() ? 0 : random.nextInt(in.size());
      Timer<Integer, Integer> any = in.isEmpty() ? last : in.set(index, last);
      wheel.remove(any);
    }
  }

  private void assertPolledUpTo(long time) {
    List<Timer<Integer, Integer>> polled = new ArrayList<>();
    for (Timer<Integer, Integer> timer; (timer = wheel.poll(time)) != null; ) {
      assertTrue(timer.dueMillis <= time, "not due yet");
      polled.add(timer);
    }
    long due = in.stream().filter(timer -> timer.dueMillis <= time).count();
    assertEquals(due, polled.size());
    in.removeAll(Set.copyOf(polled));
    assertFalse(in.stream().anyMatch(timer -> timer.dueMillis <= time));
  }
}
