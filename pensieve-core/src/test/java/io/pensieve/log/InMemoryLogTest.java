package io.pensieve.log;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.ChangeStream.Sequenced;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A log in memory tells the last changes, says so when older ones are asked for, and no more. */
@Timeout(120)
class InMemoryLogTest {
  private static final Duration LONG = Duration.ofMinutes(2);
  private static final InstantSource CLOCK = InstantSource.fixed(Instant.ofEpochMilli(1_000));
  private static final long BEGIN = 1_000 << 10;

  private final InMemoryLog<String, String> log =
      new InMemoryLog<>(4, Long.MAX_VALUE, change -> 0, CLOCK);
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void endThreads() {
    threads.shutdownNow();
  }

  private static Change<String, String> put(String key) {
    return new Change.Put<>(key, "value");
  }

  private static Sequenced<String, String> told(long number, Change<String, String> change) {
    return new Sequenced<>(BEGIN + number, change);
  }

  private static List<Sequenced<String, String>> now(ChangeStream<String, String> stream)
      throws InterruptedException {
    return stream.next(Duration.ZERO);
  }

  @Test
  void aStreamTellsWhatIsAppendedAfterIt() throws Exception {
    log.append(put("before"));
    ChangeStream<String, String> stream = log.changes();
    assertEquals(List.of(), now(stream));
    log.append(new Change.Remove<>("before"));
    log.append(new Change.Touch<>("no change to others"));
    assertArrayEquals(
        new long[] {BEGIN + 3, BEGIN + 4}, log.appendAtomically(List.of(put("a"), put("b"))));
    assertEquals(
        List.of(told(2, new Change.Remove<>("before")), told(3, put("a")), told(4, put("b"))),
        now(stream));
    assertEquals(BEGIN + 4, stream.sequence());
    assertEquals(List.of(), now(stream));
  }

  @Test
  void aStreamGoesOnWhereAnotherOneWas() throws Exception {
    log.appendAtomically(List.of(put("a"), put("b"), put("c")));
    assertEquals(List.of(told(2, put("b")), told(3, put("c"))), now(log.changes(BEGIN + 1)));
    assertEquals(List.of(), now(log.changes(BEGIN + 3)));
    assertEquals(3, now(log.changes(0)).size(), "0 is before everything");
    assertThrows(
        LogException.HistoryTruncated.class, () -> log.changes(BEGIN + 4), "of another life");
    assertThrows(IllegalArgumentException.class, () -> log.changes(-1));
  }

  @Test
  void whatIsNoLongerKeptIsForgotten() throws Exception {
    ChangeStream<String, String> slow = log.changes();
    for (int i = 1; i <= 5; i++) {
      log.append(put("k" + i));
    }
    assertThrows(LogException.HistoryTruncated.class, () -> now(slow));
    assertThrows(LogException.HistoryTruncated.class, () -> log.changes(BEGIN));
    assertThrows(LogException.HistoryTruncated.class, () -> log.changes(0));
    assertEquals(told(2, put("k2")), now(log.changes(BEGIN + 1)).get(0));
    log.appendAtomically(List.of(put("a"), put("b"), put("c"), put("d"), put("e"), put("f")));
    assertEquals(told(8, put("c")), now(log.changes(BEGIN + 7)).get(0), "half of them");
  }

  @Test
  void whatIsTooHeavyIsForgottenButForTheLast() throws Exception {
    InMemoryLog<String, String> weighed =
        new InMemoryLog<>(4, 10, change -> change.key().length(), CLOCK);
    ChangeStream<String, String> slow = weighed.changes();
    weighed.appendAtomically(List.of(put("12345"), put("1234"), put("1")));
    assertEquals(3, now(weighed.changes(BEGIN)).size(), "10 are not too heavy");
    weighed.append(put("2"));
    assertThrows(LogException.HistoryTruncated.class, () -> now(slow));
    assertEquals(3, now(weighed.changes(BEGIN + 1)).size());
    weighed.append(put("12345678901"));
    assertThrows(LogException.HistoryTruncated.class, () -> weighed.changes(BEGIN + 3));
    assertEquals(List.of(told(5, put("12345678901"))), now(weighed.changes(BEGIN + 4)));
    for (int i = 0; i < 9; i++) {
      weighed.append(put(""));
    }
    assertThrows(LogException.HistoryTruncated.class, () -> weighed.changes(BEGIN + 9));
    assertEquals(4, now(weighed.changes(BEGIN + 10)).size(), "what was forgotten has no weight");
  }

  @Test
  void whatAnEarlierLifeHasToldIsForgottenToo() {
    log.append(put("a"));
    InMemoryLog<String, String> next =
        new InMemoryLog<>(
            4, Long.MAX_VALUE, change -> 0, InstantSource.fixed(Instant.ofEpochMilli(1_001)));
    next.append(put("b"));
    assertThrows(LogException.HistoryTruncated.class, () -> next.changes(BEGIN + 1));
  }

  @Test
  void aWaitingStreamIsWokenByAChangeByItsEndAndByThatOfTheLog() throws Exception {
    ChangeStream<String, String> woken = log.changes();
    Future<List<Sequenced<String, String>>> change = threads.submit(() -> woken.next(LONG));
    log.append(put("a"));
    assertEquals(List.of(told(1, put("a"))), change.get());
    ChangeStream<String, String> closed = log.changes();
    Future<List<Sequenced<String, String>>> nothing = threads.submit(() -> closed.next(LONG));
    closed.close();
    closed.close();
    assertEquals(List.of(), nothing.get());
    ChangeStream<String, String> last = log.changes(BEGIN);
    log.close();
    assertEquals(List.of(told(1, put("a"))), last.next(LONG), "all is told first");
    assertThrows(IllegalStateException.class, () -> last.next(LONG));
    assertThrows(IllegalStateException.class, log::changes);
    assertThrows(IllegalStateException.class, () -> log.append(put("b")));
  }

  @Test
  void anInterruptEndsTheWaitAndLosesNothing() throws Exception {
    ChangeStream<String, String> stream = log.changes();
    Thread.currentThread().interrupt();
    assertThrows(InterruptedException.class, () -> stream.next(LONG));
    Thread.currentThread().interrupt();
    log.append(put("a"));
    assertEquals(1, stream.next(LONG).size(), "what is at hand is told");
    assertTrue(Thread.interrupted());
  }

  @Test
  void argumentsAreChecked() throws Exception {
    assertThrows(IllegalArgumentException.class, () -> Log.inMemory(1, 0, change -> 0));
    Log<String, String> weightless = Log.inMemory(1, 1, change -> -1);
    assertThrows(IllegalArgumentException.class, () -> weightless.append(put("a")));
    assertEquals(List.of(), now(weightless.changes(0)), "it changed nothing");
    assertThrows(IllegalArgumentException.class, () -> Log.inMemory(0));
    assertThrows(IllegalArgumentException.class, () -> Log.inMemory(RecentChanges.CHANGES_MAX + 1));
    assertThrows(IllegalArgumentException.class, () -> log.appendAtomically(List.of()));
    assertThrows(
        IllegalArgumentException.class,
        () -> log.appendAtomically(List.of(put("a"), new Change.Touch<>("b"))));
    assertEquals(Long.MAX_VALUE, log.durableSequence());
  }

  /** Everyone who keeps up is told the same, in order, whatever several writers do. */
  @Test
  void everyStreamTellsTheWholeHistory() throws Exception {
    int writers = 4;
    int changes = 5_000;
    InMemoryLog<Integer, Integer> large =
        new InMemoryLog<>(writers * changes, Long.MAX_VALUE, change -> 0, CLOCK);
    List<Future<Map<Long, Change<Integer, Integer>>>> readers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      readers.add(threads.submit(() -> read(large.changes(0), writers * changes)));
    }
    Map<Long, Change<Integer, Integer>> history = Collections.synchronizedMap(new TreeMap<>());
    List<Future<?>> running = new ArrayList<>();
    for (int writer = 0; writer < writers; writer++) {
      int seed = writer;
      running.add(threads.submit(() -> write(large, new Random(seed), changes, history)));
    }
    for (Future<?> writer : running) {
      writer.get();
    }
    for (Future<Map<Long, Change<Integer, Integer>>> reader : readers) {
      assertEquals(history, reader.get());
    }
  }

  private static void write(
      InMemoryLog<Integer, Integer> log,
      Random random,
      int changes,
      Map<Long, Change<Integer, Integer>> history) {
    for (int left = changes; left > 0; ) {
      List<Change<Integer, Integer>> group = new ArrayList<>();
      for (int i = 1 + random.nextInt(Math.min(left, 4)); i > 0; i--) {
        group.add(new Change.Put<>(random.nextInt(10), random.nextInt()));
      }
      long[] sequences = log.appendAtomically(group);
      for (int i = 0; i < sequences.length; i++) {
        history.put(sequences[i], group.get(i));
      }
      left -= group.size();
    }
  }

  private static Map<Long, Change<Integer, Integer>> read(
      ChangeStream<Integer, Integer> stream, int changes) throws InterruptedException {
    Map<Long, Change<Integer, Integer>> read = new TreeMap<>();
    for (long expected = BEGIN + 1; read.size() < changes; ) {
      for (Sequenced<Integer, Integer> one : stream.next(LONG)) {
        assertEquals(expected++, one.sequence());
        read.put(one.sequence(), one.change());
      }
    }
    return read;
  }

  @Test
  void aMapThatForgetsEverythingTellsItsChanges() throws Exception {
    try (Pensieve<String, String> map =
        Pensieve.<String, String>builder().maximumEntries(1).log(Log.inMemory(10)).open()) {
      ChangeStream<String, String> stream = map.changes();
      map.put("a", "value");
      map.put("b", "value");
      assertEquals(
          List.of(put("a"), put("b"), new Change.Remove<>("a")),
          now(stream).stream().map(Sequenced::change).toList());
    }
  }
}
