package io.pensieve;

import static io.pensieve.RemovalCause.EVICTED;
import static io.pensieve.RemovalCause.EXPIRED;
import static io.pensieve.RemovalCause.REMOVED;
import static io.pensieve.RemovalCause.REPLACED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.LogException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.ResourceBundle;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who listens hears of every value that leaves, once, and why. */
@Timeout(120)
class RemovalListenerTest {
  private final List<RemovalEvent> told = Collections.synchronizedList(new ArrayList<>());
  private final ManualClock clock = new ManualClock();
  private final RecordingLog<Integer, Integer> log = new RecordingLog<>();
  private RemovalListener<Integer, Integer> listener =
      (key, value, cause) -> told.add(new RemovalEvent(key, value, cause));
  private final Pensieve<Integer, Integer> map =
      Pensieve.<Integer, Integer>builder()
          .maximumEntries(2)
          .clock(clock)
          .log(log)
          .removalListener((key, value, cause) -> listener.removed(key, value, cause))
          .open();

  @AfterEach
  void close() {
    map.close();
  }

  @Test
  void everyWayToLeaveIsToldWithItsCause() {
    map.put(1, 10);
    map.put(1, 11);
    map.merge(1, 1, Integer::sum);
    map.replace(1, 12, 12);
    map.put(2, 20);
    map.put(3, 30);
    map.remove(2);
    map.keySet().remove(3);
    map.put(4, 40, Duration.ofMillis(1));
    clock.advance(1);
    map.cleanUp();
    map.put(5, 50);
    map.compute(5, (key, value) -> null);
    map.put(6, 60);
    map.put(7, 70);
    map.clear();
    assertEquals(
        List.of(
            new RemovalEvent(1, 10, REPLACED),
            new RemovalEvent(1, 11, REPLACED),
            new RemovalEvent(1, 12, REPLACED),
            new RemovalEvent(1, 12, EVICTED),
            new RemovalEvent(2, 20, REMOVED),
            new RemovalEvent(3, 30, REMOVED),
            new RemovalEvent(4, 40, EXPIRED),
            new RemovalEvent(5, 50, REMOVED)),
        told.subList(0, 8));
    assertEquals(
        Set.of(new RemovalEvent(6, 60, REMOVED), new RemovalEvent(7, 70, REMOVED)),
        Set.copyOf(told.subList(8, told.size())));
  }

  @Test
  void aWriterThatComesUponAnExpiredEntryTellsSo() {
    map.put(1, 10, Duration.ofMillis(1));
    clock.advance(1);
    map.put(1, 11);
    map.cleanUp(); // waits for the map's own thread, if that was faster
    assertEquals(List.of(new RemovalEvent(1, 10, EXPIRED)), told);
  }

  @Test
  void whatDoesNotHappenIsNotTold() {
    map.put(1, 10);
    map.putIfAbsent(1, 11);
    map.remove(1, 12);
    map.remove(2);
    map.replaceIfVersion(1, 0, 12);
    log.refuse(new LogException.Full("no room"));
    assertThrows(LogException.Full.class, () -> map.put(1, 13));
    assertThrows(LogException.Full.class, () -> map.remove(1));
    log.refuse(null);
    assertEquals(List.of(), told);
  }

  @Test
  void aReplacementIsToldAlsoIfTheEvictionAfterItFails() {
    map.put(1, 10);
    map.put(2, 20);
    log.beforeAppend(
        change -> {
          if (change instanceof Change.Remove) {
            throw new LogException.Failed("gone", null);
          }
        });
    assertThrows(LogException.Failed.class, () -> map.put(3, 30));
    assertEquals(3, map.size(), "what cannot be logged is not evicted");
    assertThrows(LogException.Failed.class, () -> map.put(1, 11));
    assertEquals(List.of(new RemovalEvent(1, 10, REPLACED)), told);
    log.beforeAppend(change -> {});
    map.put(1, 12);
    assertEquals(2, map.size());
  }

  @Test
  void theChangeIsVisibleAndTheMapMayBeUsed() {
    map.put(1, 10);
    listener =
        (key, value, cause) -> {
          told.add(new RemovalEvent(key, value, cause));
          if (cause == REMOVED) {
            assertNull(map.get(key));
            map.put(key, value + 1);
          }
        };
    map.remove(1);
    assertEquals(11, map.get(1));
    assertEquals(List.of(new RemovalEvent(1, 10, REMOVED)), told);
  }

  @Test
  void theWritersThreadIsTheOneThatTells() {
    map.put(1, 10);
    List<Thread> threads = new ArrayList<>();
    listener = (key, value, cause) -> threads.add(Thread.currentThread());
    map.remove(1);
    assertSame(Thread.currentThread(), threads.get(0));
  }

  @Test
  void whatAListenerThrowsDoesNotReachTheWriter() {
    map.put(1, 10);
    listener =
        (key, value, cause) -> {
          throw new SilentError();
        };
    assertEquals(10, map.put(1, 11));
    assertEquals(11, map.remove(1));
    assertEquals(log.fold(), map);
  }

  @Test
  void aListenerThatPutsBackWhatWasEvictedComesToAnEndAndItsWriterDoesNotNotice() {
    List<Throwable> refused = new ArrayList<>();
    listener =
        (key, value, cause) -> {
          told.add(new RemovalEvent(key, value, cause));
          try {
            map.put(key, value);
          } catch (IllegalStateException tooDeep) {
            refused.add(tooDeep);
            throw tooDeep;
          }
        };
    for (int i = 0; i < 5; i++) {
      map.put(i, i);
    }
    assertEquals(2, map.size());
    assertEquals(log.fold(), map);
    assertEquals(3, refused.size(), "once for each put that evicts");
    assertEquals(3 * ListenerDepth.MAX, told.size());
    listener = (key, value, cause) -> map.put(7, 7);
    map.put(8, 8);
    listener = (key, value, cause) -> told.add(new RemovalEvent(key, value, cause));
    map.put(9, 9);
    assertEquals(9, map.get(9), "a thread that is out of the listeners may write");
  }

  @Test
  void aListenerThatOverwritesWhatItIsToldOfComesToAnEnd() {
    AtomicInteger calls = new AtomicInteger();
    listener =
        (key, value, cause) -> {
          calls.incrementAndGet();
          map.put(1, value + 1);
        };
    map.put(1, 0);
    assertEquals(0, map.put(1, 1));
    assertEquals(ListenerDepth.MAX, calls.get());
    assertEquals(log.fold(), map);
  }

  @Test
  void listenersOfTwoMapsThatWriteToEachOtherComeToAnEnd() {
    AtomicInteger calls = new AtomicInteger();
    try (Pensieve<Integer, Integer> second =
        Pensieve.<Integer, Integer>builder()
            .removalListener(
                (key, value, cause) -> {
                  calls.incrementAndGet();
                  map.put(1, value + 1);
                })
            .open()) {
      listener = (key, value, cause) -> second.put(1, value + 1);
      second.put(1, 0);
      map.put(1, 0);
      map.put(1, 1);
      assertEquals(ListenerDepth.MAX / 2, calls.get());
      assertEquals(log.fold(), map);
    }
  }

  @Test
  void othersMayWriteWhileAListenerIsAsDeepAsItMay() {
    AtomicInteger calls = new AtomicInteger();
    listener =
        (key, value, cause) -> {
          if (calls.incrementAndGet() == ListenerDepth.MAX) {
            Thread other = new Thread(() -> map.put(5, 50));
            other.start();
            joinUninterruptibly(other);
          }
          map.put(1, value + 1);
        };
    map.put(1, 0);
    map.put(1, 1);
    assertEquals(ListenerDepth.MAX, calls.get());
    assertEquals(50, map.get(5));
  }

  private static void joinUninterruptibly(Thread thread) {
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException goOnWaiting) {
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void aWarningThatCannotBeLoggedDoesNotReachTheWriter() {
    RemovalNotifier<Integer, Integer> notifier =
        new RemovalNotifier<>(
            new Counters(false),
            (key, value, cause) -> {
              throw new SilentError();
            },
            () -> {
              throw new SilentError();
            },
            () -> 0);
    notifier.evicted(1, 10);
  }

  @Test
  void whatAListenerThrowsIsLoggedAndThenOnceAMinuteWithItsNumber() {
    long minute = TimeUnit.MINUTES.toNanos(1);
    SilentError thrown = new SilentError();
    AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - minute / 2); // it may go over the end
    List<Throwable> traces = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    RemovalNotifier<Integer, Integer> notifier =
        new RemovalNotifier<>(
            new Counters(false),
            (key, value, cause) -> {
              throw thrown;
            },
            () -> new RecordingLogger(traces, lines),
            nanos::get);
    for (int i = 0; i < 100; i++) {
      notifier.evicted(1, 10);
    }
    nanos.addAndGet(minute - 1);
    notifier.evicted(1, 10);
    assertEquals(List.of(thrown), traces);
    assertEquals(List.of(), lines);
    nanos.addAndGet(1);
    for (int i = 0; i < 10; i++) {
      notifier.evicted(1, 10);
    }
    assertEquals(List.of("a removal listener has thrown 101 times more, now " + thrown), lines);
    nanos.addAndGet(3 * minute);
    notifier.evicted(1, 10);
    assertTrue(lines.get(1).contains(" thrown 10 times more"), lines.get(1));
    assertEquals(List.of(thrown), traces);
  }

  private static final class SilentError extends Error {
    private static final long serialVersionUID = 1L;

    SilentError() {
      super("thrown by a test's listener", null, false, false);
    }
  }

  private record RecordingLogger(List<Throwable> traces, List<String> lines)
      implements System.Logger {
    @Override
    public String getName() {
      return "test";
    }

    @Override
    public boolean isLoggable(Level level) {
      return true;
    }

    @Override
    public void log(
        Level level, @Nullable ResourceBundle bundle, String message, @Nullable Throwable thrown) {
      assertEquals(Level.WARNING, level);
      if (thrown == null) {
        lines.add(message);
      } else {
        traces.add(thrown);
      }
    }

    @Override
    public void log(
        Level level, @Nullable ResourceBundle bundle, String format, Object... parameters) {
      lines.add(format);
    }
  }

  /** Every value is written once, so that each must be told once, or still be there. */
  @Test
  void underThreadsEveryValueThatWasWrittenLeavesOnceOrIsThere() throws Exception {
    Set<Integer> left = ConcurrentHashMap.newKeySet();
    AtomicInteger twice = new AtomicInteger();
    AtomicInteger written = new AtomicInteger();
    RecordingLog<Integer, Integer> busyLog = new RecordingLog<>();
    try (Pensieve<Integer, Integer> busy =
        Pensieve.<Integer, Integer>builder()
            .maximumEntries(60)
            .maximumWeight(400, (key, value) -> value % 10)
            .clock(clock)
            .log(busyLog)
            .removalListener(
                (key, value, cause) -> {
                  if (!left.add(value)) {
                    twice.incrementAndGet();
                  }
                })
            .open()) {
      ParallelRun.run(
          8,
          RemovalListenerTest.class,
          random -> {
            for (int i = 0; i < 10_000; i++) {
              int key = random.nextInt(120);
              switch (random.nextInt(10)) {
                case 0 -> busy.remove(key);
                case 1 -> busy.compute(key, (k, v) -> v == null ? written.getAndIncrement() : null);
                case 2 -> busy.get(key);
                case 3 -> clock.advance(random.nextInt(3));
                case 4 -> busy.cleanUp();
                case 5 -> busy.put(key, written.getAndIncrement());
                default ->
                    busy.put(
                        key,
                        written.getAndIncrement(),
                        Duration.ofMillis(1L + random.nextInt(100)));
              }
            }
          });
      clock.advance(100);
      busy.cleanUp();
      assertEquals(0, twice.get(), "told twice");
      assertEquals(busyLog.fold(), busy);
      for (int value : busy.values()) {
        assertFalse(left.contains(value), "told, and still there");
      }
      assertEquals(written.get(), left.size() + busy.size(), "none is forgotten");
      assertTrue(written.get() > 30_000);
    }
  }
}
