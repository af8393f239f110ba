package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.file.SimulatedLog.Event;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Streams that come and go, beside a log that is appended to, compacted, closed, killed and cut
 * off: each tells the history since where it began, exactly, or that this is forgotten.
 */
@Tag(Depth.TAG)
class ChangeStreamModelTest {
  private static final int SEEDS = Depth.of(20, 60, 3000);
  private static final int ACTIONS = 400;

  private int told;
  private int forgotten;
  private int resumed;
  private int lost;

  /** A stream, and what it has told. */
  private static final class Reader {
    final ChangeStream<String, String> stream;
    final long since;
    int count; // of the changes told

    Reader(ChangeStream<String, String> stream) {
      this.stream = stream;
      this.since = stream.sequence();
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyStreamTellsTheHistoryExactly(Durability durability) {
    Seed.first(SEEDS).forEach(seed -> run(seed, durability));
    System.out.printf(
        "ChangeStreamModelTest: %d told, %d forgotten, %d resumed, %d lost%n",
        told, forgotten, resumed, lost);
    if (!Seed.isGiven()) {
      assertTrue(told > 100 * SEEDS && forgotten > 5 * SEEDS && resumed > 5 * SEEDS);
      assertEquals(durability == Durability.PROCESS_DEATH, lost > 0, lost + " lost");
    }
  }

  private void run(long seed, Durability durability) {
    Random random = new Random(seed);
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), durability).skipping(new Random(seed));
    log.disk.writeBack(new Random(seed));
    log.open();
    List<Reader> listeners = new ArrayList<>();
    String context = "seed " + seed + ", " + durability;
    for (int i = 0; i < ACTIONS; i++) {
      String where = context + ", action " + i;
      switch (random.nextInt(12)) {
        case 0 -> listeners.add(new Reader(log.log().changes()));
        case 1 -> since(log, anySequence(log, random), listeners, where);
        case 2 -> resume(log, random, listeners, where);
        case 3, 4, 5, 6 -> listen(log, random, listeners, where);
        case 7 -> restart(log, durability, random, listeners, where);
        default -> change(log, random, i);
      }
    }
    log.settle();
    while (!listeners.isEmpty()) {
      tellAll(log, listeners.remove(0), context + ", in the end");
    }
    log.close();
  }

  private static void change(SimulatedLog log, Random random, int step) {
    for (int i = random.nextInt(6); i >= 0; i--) {
      switch (random.nextInt(16)) {
        case 0, 1, 2 -> log.step();
        case 3 -> log.compactStep();
        case 4 -> log.append(new Change.Touch<>("k" + random.nextInt(5)));
        case 5, 6, 7 -> log.appendAtomically(SimulatedLog.group(random, step));
        case 8 -> log.append(new Change.Remove<>("k" + random.nextInt(5)));
        default -> log.append(new Change.Put<>("k" + random.nextInt(5), "v" + step));
      }
    }
  }

  private static long anySequence(SimulatedLog log, Random random) {
    List<Event> history = log.history();
    return history.isEmpty() || random.nextInt(10) == 0
        ? 0
        : history.get(random.nextInt(history.size())).sequence() - 8L * random.nextInt(2);
  }

  private void since(SimulatedLog log, long sequence, List<Reader> listeners, String context) {
    try {
      listeners.add(new Reader(log.log().changes(sequence)));
      assertEquals(sequence, listeners.get(listeners.size() - 1).stream.sequence());
    } catch (LogException.HistoryTruncated compacted) {
      assertForgotten(log, sequence, context);
    }
  }

  private void assertForgotten(SimulatedLog log, long sequence, String context) {
    assertTrue(sequence < log.disk.newestBase(SimulatedLog.FOLDER), context + " at " + sequence);
    forgotten++;
  }

  private void resume(SimulatedLog log, Random random, List<Reader> listeners, String context) {
    if (!listeners.isEmpty()) {
      Reader ended = listeners.remove(random.nextInt(listeners.size()));
      ended.stream.close();
      assertEquals(List.of(), next(ended), context);
      since(log, ended.stream.sequence(), listeners, context);
    }
  }

  private void listen(SimulatedLog log, Random random, List<Reader> listeners, String context) {
    if (!listeners.isEmpty()) {
      Reader reader = listeners.get(random.nextInt(listeners.size()));
      if (!tell(log, reader, context)) {
        listeners.remove(reader);
      }
    }
  }

  private static List<ChangeStream.Sequenced<String, String>> next(Reader reader) {
    try {
      return reader.stream.next(Duration.ZERO);
    } catch (InterruptedException nobodyDoes) {
      throw new AssertionError(nobodyDoes);
    }
  }

  /** Takes what the stream tells, and answers whether it can tell more. */
  private boolean tell(SimulatedLog log, Reader reader, String context) {
    List<ChangeStream.Sequenced<String, String>> found;
    try {
      found = next(reader);
    } catch (LogException.HistoryTruncated compacted) {
      assertForgotten(log, reader.stream.sequence(), context);
      reader.stream.close();
      return false;
    }
    List<Event> expected = expected(log, reader);
    List<Event> events = found.stream().map(c -> new Event(c.sequence(), c.change())).toList();
    int end = reader.count + events.size();
    assertTrue(end <= expected.size(), () -> context + ": " + events);
    assertEquals(expected.subList(reader.count, end), events, context);
    reader.count = end;
    told += events.size();
    if (!events.isEmpty()) {
      long last = events.get(events.size() - 1).sequence();
      assertTrue(reader.stream.sequence() >= last, context);
      assertTrue(log.log().durableSequence() >= last, context + ": told too early");
    }
    return true;
  }

  private static List<Event> expected(SimulatedLog log, Reader reader) {
    return log.history().stream()
        .filter(event -> event.sequence() > reader.since)
        .filter(event -> !(event.change() instanceof Change.Touch))
        .toList();
  }

  private void tellAll(SimulatedLog log, Reader reader, String context) {
    int before;
    do {
      before = reader.count;
      if (!tell(log, reader, context)) {
        return;
      }
    } while (reader.count > before);
    assertEquals(expected(log, reader).size(), reader.count, context);
  }

  /** The log comes back, and with it every stream, from where it had come. */
  private void restart(
      SimulatedLog log,
      Durability durability,
      Random random,
      List<Reader> listeners,
      String context) {
    if (random.nextInt(3) > 0) {
      return;
    }
    int acknowledged = log.acknowledged();
    switch (random.nextInt(3)) {
      case 0 -> {
        log.close();
        log.reopen(log.historySize(), context);
      }
      case 1 -> {
        log.disk.killProcess();
        log.reopen(log.historySize(), context);
      }
      default -> {
        log.step();
        listen(log, random, listeners, context);
        log.disk.cutPower(random);
        log.reopen(acknowledged, context);
      }
    }
    long end = log.historySize() == 0 ? 0 : log.history().get(log.historySize() - 1).sequence();
    List<Reader> before = List.copyOf(listeners);
    listeners.clear();
    for (Reader reader : before) {
      long sequence = reader.stream.sequence();
      try {
        listeners.add(new Reader(log.log().changes(sequence)));
        resumed++;
      } catch (LogException.HistoryTruncated gone) {
        if (sequence > end) {
          boolean wasTold = sequence > reader.since;
          assertTrue(!wasTold || durability == Durability.PROCESS_DEATH, context + ": lost");
          lost += wasTold ? 1 : 0;
        } else {
          assertForgotten(log, sequence, context);
        }
      }
    }
  }
}
