package io.pensieve.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A log on a simulated disk, driven step by step, and the history that it must tell. */
final class SimulatedLog {
  static final Path FOLDER = Path.of("log");
  static final int RING_BYTES = 4096;
  static final int SEGMENT_BYTES = 1024;

  private static final long STEP_NANOS = 60_000_000;

  final SimulatedDisk disk;
  private final Durability durability;
  private List<Event> history = new ArrayList<>();
  private long highestEver;
  private @Nullable FileLog<String, String> log;
  private @Nullable Scribe scribe;
  private long nanos;
  private long waiting; // bytes in the ring, at most
  private int acknowledged; // how many changes of the history
  private @Nullable RecoveryReport report;

  /** A change with its sequence. */
  record Event(long sequence, Change<String, String> change) {}

  SimulatedLog(SimulatedDisk disk, Durability durability) {
    this.disk = disk;
    this.durability = durability;
  }

  /** Opens the log, which tells its history. */
  List<Event> open() {
    FileLog<String, String> opened =
        FileLog.open(
            disk,
            FOLDER,
            Codec.utf8(),
            Codec.utf8(),
            new FileLog.Settings(durability, RING_BYTES, RING_BYTES / 2, SEGMENT_BYTES, 1024),
            new FileLog.Threads(work -> scribe = (Scribe) work, Runnable::run, () -> nanos));
    log = opened;
    List<Event> told = new ArrayList<>();
    report = opened.replay(new Recorder(told));
    waiting = 0;
    return told;
  }

  /** Reads the log and leaves it as it is. */
  static List<Event> read(SimulatedDisk disk) throws IOException {
    List<Event> told = new ArrayList<>();
    LogDirectory directory = new LogDirectory(disk, FOLDER);
    new Recovery<>(directory, Codec.utf8(), Codec.utf8(), new Recorder(told)).run();
    return told;
  }

  /** Opens the log and checks that it tells a prefix with everything that had to survive. */
  void reopen(int mustSurvive, String context) {
    List<Event> told = open();
    assertTrue(
        told.size() <= history.size() && told.equals(history.subList(0, told.size())),
        () -> context + ": told " + told + " after the history " + history);
    assertTrue(
        told.size() >= mustSurvive,
        () -> context + ": told " + told.size() + " changes, not the acknowledged " + mustSurvive);
    history = new ArrayList<>(told);
    acknowledged = told.size();
  }

  RecoveryReport report() {
    return present(report);
  }

  FileLog<String, String> log() {
    return present(log);
  }

  int historySize() {
    return history.size();
  }

  int acknowledged() {
    return acknowledged;
  }

  private static <T> T present(@Nullable T value) {
    if (value == null) {
      throw new AssertionError("not open");
    }
    return value;
  }

  Event append(Change<String, String> change) {
    long sequence = log().append(change);
    assertTrue(sequence > highestEver, "a sequence is used twice: " + sequence);
    highestEver = sequence;
    Event event = new Event(sequence, change);
    history.add(event);
    waiting += 1024;
    if (waiting >= RING_BYTES) {
      step();
    }
    return event;
  }

  void step() {
    nanos += STEP_NANOS;
    present(scribe).step();
    waiting = 0;
    long durable = present(log).durableSequence();
    if (durability == Durability.POWER_CUT) {
      while (acknowledged < history.size() && history.get(acknowledged).sequence <= durable) {
        acknowledged++;
      }
    }
  }

  void close() {
    // The only moment with a thread: close waits for the scribe, and does nothing meanwhile.
    Thread thread = new Thread(present(scribe));
    thread.start();
    present(log).close();
    acknowledged = history.size();
  }

  /** Appends, steps and clean restarts as this seed has it, until the disk stops. */
  void runScript(Random random, int actions) {
    for (int i = 0; i < actions; i++) {
      switch (random.nextInt(12)) {
        case 0, 1, 2 -> step();
        case 3 -> append(new Change.Remove<>("k" + random.nextInt(5)));
        case 4 -> append(new Change.Touch<>("k" + random.nextInt(5)));
        case 5 -> {
          close();
          int all = history.size();
          List<Event> told = open();
          assertEquals(history.subList(0, all), told);
          assertTrue(report().closedCleanly());
        }
        default ->
            append(
                new Change.Put<>(
                    "k" + random.nextInt(5), "v" + i + "x".repeat(random.nextInt(700))));
      }
    }
  }

  private record Recorder(List<Event> told) implements Replay<String, String> {
    @Override
    public void change(long sequence, Change<String, String> change) {
      told.add(new Event(sequence, change));
    }

    @Override
    public void entry(String key, String value, long version, long stamp) {
      throw new AssertionError("no log of this test has a base");
    }

    @Override
    public void progress(long bytesRead, long bytesTotal) {}
  }
}
