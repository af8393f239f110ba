package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.RecoveryReport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A log on a simulated disk, driven step by step, and the history that it must tell. */
final class SimulatedLog {
  static final Path FOLDER = Path.of("log");
  static final int RING_BYTES = 4096;
  static final int SEGMENT_BYTES = 1024;

  // So small that the compactions of a script overlap with its appends.
  private static final LogSettings.Compaction COMPACTION =
      new LogSettings.Compaction(3 * SEGMENT_BYTES / 2, 600, 1 << 20, Long.MAX_VALUE);

  // So that every frame goes to one of three threads that take turns.
  static final ReplayPipeline.Settings RECOVERY = new ReplayPipeline.Settings(3, 64, 0);

  /** Text of Latin-1 letters, decoded many million times. */
  static final Codec<String> TEXT =
      new Codec<>() {
        @Override
        public byte[] encode(String value) {
          return value.getBytes(StandardCharsets.ISO_8859_1);
        }

        @Override
        public String decode(byte[] bytes) {
          return new String(bytes, StandardCharsets.ISO_8859_1);
        }
      };

  private static final long STEP_NANOS = 60_000_000;
  private static final long CLOSING_STEP_NANOS = 1_000_000;
  private static final long FORCE_NANOS_MAX = 100_000_000;

  final SimulatedDisk disk;
  private final Durability durability;
  private final int segmentBytes;
  private List<Event> history = new ArrayList<>();
  private final Set<Long> goesOn = new HashSet<>(); // sequences behind which a group goes on
  private long highestEver;
  private @Nullable FileLog<String, String> log;
  private @Nullable LogWriter writer;
  private @Nullable Compactor<?, ?> compactor;
  private @Nullable FutureCompleter completer;
  private SequenceOrigin origin = end -> end;
  private @Nullable LiveModel map;
  private boolean refusesThreads;
  private boolean isClosing; // then time goes on by itself
  long nanos;
  private long waiting; // bytes in the ring, at most
  private int acknowledged; // how many changes of the history have been known to be, so far
  private long idleNanos; // when the log writer had nothing to do
  private int idleSize; // how many changes there were then
  private @Nullable RecoveryReport report;
  final RecordedLines operator = new RecordedLines();

  /** A change with its sequence. */
  record Event(long sequence, Change<String, String> change) {
    // Without the value, which is long and has the script's step in it.
    @Override
    public String toString() {
      return sequence + " " + change.getClass().getSimpleName() + " " + change.key();
    }
  }

  SimulatedLog(SimulatedDisk disk, Durability durability) {
    this(disk, durability, SEGMENT_BYTES);
  }

  SimulatedLog(SimulatedDisk disk, Durability durability, int segmentBytes) {
    this.disk = disk;
    this.durability = durability;
    this.segmentBytes = segmentBytes;
  }

  /** From now on lives begin some way behind the end, as this seed has it, as real ones do. */
  SimulatedLog skipping(Random random) {
    origin =
        end ->
            end
                + SequenceOrigin.POSITIONS_SKIPPED
                + (long) Format.FRAME_ALIGNMENT * random.nextInt(1 << 20);
    return this;
  }

  /** This log's promises, for a copy of its disk that a crash will befall. */
  SimulatedLog onDisk(SimulatedDisk copy) {
    SimulatedLog twin = new SimulatedLog(copy, durability);
    twin.history.addAll(history);
    twin.goesOn.addAll(goesOn);
    twin.highestEver = highestEver;
    twin.nanos = nanos;
    twin.origin = origin;
    twin.acknowledged = acknowledged();
    return twin;
  }

  /** Opens the log, which tells all of its history as changes. */
  List<Event> open() {
    return openReplayed().onlyEvents();
  }

  /** Opens the log, which tells its history. */
  Replayed openReplayed() {
    FileLog<String, String> opened =
        FileLog.open(
            disk,
            FOLDER,
            TEXT,
            TEXT,
            new LogSettings(
                origin,
                durability,
                RING_BYTES,
                RING_BYTES / 2,
                segmentBytes,
                1024,
                COMPACTION,
                RECOVERY),
            new LogThreads(
                work -> writer = (LogWriter) work,
                this::runInBackground,
                work -> completer = (FutureCompleter) work,
                work -> compactor = (Compactor<?, ?>) work,
                () -> isClosing ? nanos += CLOSING_STEP_NANOS : nanos,
                new OperatorLog(() -> operator)));
    log = opened;
    isClosing = false;
    Replayed replayed = Replayed.inAnyOrder();
    report = opened.replay(replayed);
    waiting = 0;
    map = replayed.fold();
    opened.attach(map);
    return replayed;
  }

  private void runInBackground(Runnable work) {
    if (refusesThreads) {
      throw new OutOfMemoryError("unable to create native thread");
    }
    work.run();
  }

  /** Reads the log and leaves it as it is. */
  static Replayed read(SimulatedDisk disk) throws IOException {
    return read(disk, FOLDER);
  }

  /** Reads the log in any folder and leaves it as it is. */
  static Replayed read(Disk disk, Path folder) throws IOException {
    return read(disk, folder, TEXT);
  }

  static Replayed read(SimulatedDisk disk, Codec<String> codec) throws IOException {
    return read(disk, FOLDER, codec);
  }

  private static Replayed read(Disk disk, Path folder, Codec<String> codec) throws IOException {
    Replayed replayed = Replayed.inOrder();
    LogException.Corrupt refusal = refusal(disk, folder, codec, replayed);
    if (refusal != null) {
      throw refusal;
    }
    return replayed;
  }

  /** Reads the log and leaves it as it is; several threads must find the same as one. */
  static Replayed readTwice(SimulatedDisk disk) throws IOException {
    Replayed inOrder = Replayed.inOrder();
    Replayed anyhow = Replayed.inAnyOrder();
    LogException.Corrupt refusal = refusal(disk, FOLDER, TEXT, inOrder);
    LogException.Corrupt sameRefusal = refusal(disk, FOLDER, TEXT, anyhow);
    assertEquals(String.valueOf(refusal), String.valueOf(sameRefusal));
    if (refusal != null) {
      throw refusal;
    }
    assertEquals(inOrder.events(), anyhow.events());
    assertEquals(inOrder.fold().coldestFirst(), anyhow.fold().coldestFirst());
    return anyhow;
  }

  private static LogException.@Nullable Corrupt refusal(
      Disk disk, Path folder, Codec<String> codec, Replayed replayed) throws IOException {
    LogDirectory directory = new LogDirectory(disk, folder);
    try {
      new Recovery<>(directory, codec, codec, replayed, RECOVERY).run();
      return null;
    } catch (LogException.Corrupt refused) {
      return refused;
    }
  }

  /** Opens the log and checks that it tells a prefix with everything that had to survive. */
  void reopen(int mustSurvive, String context) {
    int survivors = assertPrefix(openUndamaged(context), history, disk, context);
    assertTrue(
        survivors >= mustSurvive,
        () -> context + ": told " + survivors + " changes, not the acknowledged " + mustSurvive);
    assertWholeGroups(history.subList(0, survivors), goesOn, context);
    history = new ArrayList<>(history.subList(0, survivors));
    acknowledged = survivors;
    idleSize = 0;
  }

  private Replayed openUndamaged(String context) {
    try {
      return openReplayed();
    } catch (LogException.Corrupt damaged) {
      damaged.addSuppressed(new AssertionError(context + ", of " + history));
      throw damaged;
    }
  }

  /** Checks that a log on this disk told a prefix of a history, and answers how long it is. */
  static int assertPrefix(
      Replayed replayed, List<Event> history, SimulatedDisk disk, String context) {
    return assertPrefix(replayed, disk.newestBase(FOLDER), history, context);
  }

  /** As above, for a log whose newest base has this position. */
  static int assertPrefix(Replayed replayed, long base, List<Event> history, String context) {
    int before = 0;
    while (before < history.size() && history.get(before).sequence <= base) {
      before++;
    }
    int survivors = before + replayed.events().size();
    assertTrue(
        survivors <= history.size() && replayed.events().equals(history.subList(before, survivors)),
        () -> context + ": told " + replayed.events() + " since " + base + " of " + history);
    LiveModel expected = new LiveModel();
    history.subList(0, survivors).forEach(expected::apply);
    assertEquals(expected.coldestFirst(), replayed.fold().coldestFirst(), context);
    return survivors;
  }

  /** Of what was appended together, all or nothing is there. */
  static void assertWholeGroups(List<Event> told, Set<Long> goesOn, String context) {
    assertTrue(
        told.isEmpty() || !goesOn.contains(told.get(told.size() - 1).sequence),
        () -> context + ": ends within a group: " + told);
  }

  /** The sequences of all changes but the last one of each group. */
  Set<Long> goesOn() {
    return goesOn;
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

  List<Event> history() {
    return history;
  }

  /** A change that was never acknowledged, and need not have happened. */
  void forget(Event event) {
    history.remove(event);
  }

  /** How many changes must survive a power cut now. */
  int acknowledged() {
    FileLog<String, String> current = log;
    if (current != null && durability == Durability.POWER_CUT) {
      acknowledged = Math.max(acknowledged, countUpTo(current.durableSequence()));
    }
    return acknowledged;
  }

  private int countUpTo(long sequence) {
    int count = acknowledged;
    while (count < history.size() && history.get(count).sequence <= sequence) {
      count++;
    }
    return count;
  }

  private static <T> T present(@Nullable T value) {
    if (value == null) {
      throw new AssertionError("not open");
    }
    return value;
  }

  Event append(Change<String, String> change) {
    Event event = note(log().append(change), change);
    noteWaiting();
    return event;
  }

  private Event note(long sequence, Change<String, String> change) {
    assertTrue(sequence > highestEver, "a sequence is used twice: " + sequence);
    highestEver = sequence;
    Event event = new Event(sequence, change);
    history.add(event);
    present(map).apply(event);
    return event;
  }

  /** Appends changes as one, which have 1 KiB at most. */
  List<Event> appendAtomically(List<Change<String, String>> changes) {
    long[] sequences = log().appendAtomically(changes);
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < sequences.length; i++) {
      events.add(note(sequences[i], changes.get(i)));
      if (i + 1 < sequences.length) {
        goesOn.add(sequences[i]);
      }
    }
    assertEquals(changes.size(), events.size());
    noteWaiting();
    return events;
  }

  void noteWaiting() {
    waiting += 1024;
    if (waiting >= RING_BYTES) {
      settle();
    }
  }

  void step() {
    nanos += STEP_NANOS;
    noteIdle(stepLogWriter());
  }

  private boolean stepLogWriter() {
    LogWriter current = present(writer);
    boolean moved = !current.isFinished() && current.step();
    drainCompletions();
    return moved;
  }

  private void drainCompletions() {
    if (completer != null) {
      completer.drain();
    }
  }

  // When the log writer has nothing to do, all is written; and 100 ms later, when it has nothing to
  // do again, all of that is forced, whatever the level.
  private void noteIdle(boolean moved) {
    boolean isIdle =
        !moved && !isBehind() && present(writer).acceptsPuts() && !present(writer).isFinished();
    if (isIdle && nanos - idleNanos > FORCE_NANOS_MAX) {
      acknowledged = Math.max(acknowledged, idleSize);
      idleNanos = nanos;
      idleSize = history.size();
    }
  }

  /**
   * All that the log writer has to do. A step ends where a segment does; an append into a full ring
   * would wait for ever.
   */
  void settle() {
    for (int refused = 0; stepLogWriter() || (isBehind() && refused < 100); refused++) {
      nanos += STEP_NANOS;
    }
    waiting = 0;
  }

  private boolean isBehind() {
    return !present(writer).isFinished()
        && log().openLog().ring().released() < log().openLog().ring().end();
  }

  /** There are no threads to be had. */
  void refuseThreads(boolean refuse) {
    refusesThreads = refuse;
  }

  void close() {
    if (compactor != null) {
      compactor.stop();
    }
    closeLog();
  }

  /** As {@link #close}, but that the log itself stops the compactor. */
  void closeLog() {
    // The only moment with a thread: close waits for the log writer, and does nothing meanwhile.
    isClosing = true;
    LogWriter toEnd = writer;
    if (toEnd != null) {
      new Thread(toEnd).start();
    }
    try {
      present(log).close();
    } finally {
      drainCompletions();
    }
    acknowledged = history.size();
  }

  /** Appends, steps and clean restarts as this seed has it, until the disk stops. */
  void runScript(Random random, int actions) {
    for (int i = 0; i < actions; i++) {
      switch (random.nextInt(22)) {
        case 0, 1, 2 -> step();
        case 3 -> append(new Change.Remove<>("k" + random.nextInt(5)));
        case 4 -> append(new Change.Touch<>("k" + random.nextInt(5)));
        case 5 -> {
          if (random.nextInt(3) == 0) {
            closeAndReopen();
          }
        }
        case 6, 7, 8, 9, 10, 11 -> compactStep();
        case 12 -> {
          CompletableFuture<Void> ignored = requestCompaction();
        }
        case 13, 14 -> appendAtomically(group(random, i));
        default -> append(put(random, "k" + random.nextInt(5), i, 700));
      }
    }
  }

  static Change<String, String> put(Random random, String key, int step, int bytesMax) {
    return new Change.Put<>(
        key,
        "v" + step + "x".repeat(random.nextInt(bytesMax)),
        random.nextInt(3) == 0 ? random.nextLong() : Change.NEVER);
  }

  /** One to four changes of different keys. */
  static List<Change<String, String>> group(Random random, int step) {
    List<Change<String, String>> changes = new ArrayList<>();
    for (int key = random.nextInt(3), count = 1 + random.nextInt(4); count > 0; count--, key++) {
      changes.add(
          random.nextInt(4) == 0
              ? new Change.Remove<>("k" + key)
              : put(random, "k" + key, step, random.nextInt(4) == 0 ? 1 : 200));
    }
    return changes;
  }

  private void closeAndReopen() {
    close();
    Replayed replayed = openReplayed();
    assertEquals(history.size(), assertPrefix(replayed, history, disk, "after a clean close"));
    assertTrue(report().closedCleanly());
  }

  /** A piece of a compaction, if one is due. */
  boolean compactStep() {
    nanos += STEP_NANOS;
    return present(compactor).step();
  }

  CompletableFuture<Void> requestCompaction() {
    return present(compactor).request();
  }

  CompletableFuture<Void> requestBackup(Path target) {
    return present(compactor).requestBackup(target);
  }

  /** A whole compaction, which must succeed. */
  void compact() {
    CompletableFuture<Void> done = requestCompaction();
    for (int steps = 0; !done.isDone(); steps++) {
      assertTrue(steps < 1000, "the compaction ends");
      compactStep();
      step();
    }
    done.join();
  }

  LiveModel map() {
    return present(map);
  }
}
