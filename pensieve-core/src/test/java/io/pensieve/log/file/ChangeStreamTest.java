package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.log.ChangeStream.Sequenced;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import io.pensieve.log.file.SimulatedLog.Event;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Streams of changes: on a simulated disk step by step, on a real one with threads. */
class ChangeStreamTest {
  private static final Duration LONG = Duration.ofMinutes(2);
  private static final int SEGMENT_BYTES = 16 << 10;

  private final Path folder;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  ChangeStreamTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @AfterEach
  void endThreads() throws InterruptedException {
    threads.shutdownNow();
    assertTrue(threads.awaitTermination(2, TimeUnit.MINUTES), "all threads end");
  }

  private static SimulatedLog simulated(Durability durability) {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), durability);
    log.open();
    return log;
  }

  private FileLog<String, String> open(Durability durability) {
    LogSettings settings =
        new LogSettings(
            end -> end,
            durability,
            64 << 10,
            32 << 10,
            SEGMENT_BYTES,
            1,
            new LogSettings.Compaction(1 << 30, 512, 1L << 40, 1L << 40),
            ReplayPipeline.Settings.ofThreads(1));
    FileLog<String, String> log =
        FileLog.open(
            new FileDisk(), folder, Codec.utf8(), Codec.utf8(), settings, LogThreads.daemons());
    log.replay(Replayed.inOrder());
    return log;
  }

  private static List<Event> events(List<Sequenced<String, String>> changes) {
    return changes.stream().map(change -> new Event(change.sequence(), change.change())).toList();
  }

  private static List<Event> now(ChangeStream<String, String> stream) throws InterruptedException {
    return events(stream.next(Duration.ZERO));
  }

  private static Change<String, String> put(String key, String value) {
    return new Change.Put<>(key, value);
  }

  @ParameterizedTest
  @EnumSource
  void aStreamBeginsWithWhatIsAppendedAfterIt(Durability durability) throws Exception {
    SimulatedLog log = simulated(durability);
    log.append(put("before", "1"));
    log.settle();
    ChangeStream<String, String> stream = log.log().changes();
    Event removal = log.append(new Change.Remove<>("before"));
    log.append(new Change.Touch<>("no change to others"));
    List<Event> group = log.appendAtomically(List.of(put("b", "2"), put("c", "3")));
    assertEquals(List.of(), now(stream), "not before it is acknowledged and written");
    log.step();
    assertEquals(List.of(removal, group.get(0), group.get(1)), now(stream));
    assertEquals(group.get(1).sequence(), stream.sequence());
    assertEquals(List.of(), now(stream));
  }

  @Test
  void whatAppendHasAcknowledgedBeforeIsNotToldThoughItIsNotWrittenYet() throws Exception {
    SimulatedLog log = simulated(Durability.PROCESS_DEATH);
    log.append(put("before", "1"));
    log.append(put("before", "2"));
    ChangeStream<String, String> stream = log.log().changes();
    Event after = log.append(put("after", "3"));
    log.settle();
    assertEquals(List.of(after), now(stream));
  }

  @Test
  void whatIsNotForcedIsNotToldWherePowerCutsCount() throws Exception {
    SimulatedLog log = simulated(Durability.POWER_CUT);
    ChangeStream<String, String> stream = log.log().changes();
    Event change = log.append(put("a", "1"));
    log.disk.failAfter(1, false); // the write succeeds, the force after it fails
    log.step();
    assertThrows(LogException.Failed.class, () -> stream.next(LONG));
    log.disk.heal();
    log.disk.killProcess();
    log.reopen(1, "after a failed force");
    assertEquals(List.of(change), now(log.log().changes(0)));
  }

  @Test
  void whatWasDurableIsToldBeforeTheFailure() throws Exception {
    SimulatedLog log = simulated(Durability.POWER_CUT);
    ChangeStream<String, String> stream = log.log().changes();
    Event durable = log.append(put("a", "1"));
    log.step();
    log.append(put("b", "2"));
    log.disk.failAfter(1, false);
    log.step();
    assertEquals(List.of(durable), events(stream.next(LONG)));
    assertThrows(LogException.Failed.class, () -> stream.next(LONG));
  }

  @Test
  void aStreamThatGoesOnWithinAGroupTellsItsRest() throws Exception {
    SimulatedLog log = simulated(Durability.PROCESS_DEATH);
    log.append(put("x", "y".repeat(300)));
    List<Event> group =
        log.appendAtomically(List.of(put("a", "1"), put("b", "2"), new Change.Remove<>("c")));
    Event behind = log.append(put("d", "4"));
    log.settle();
    for (int i = 0; i < group.size(); i++) {
      List<Event> rest = new ArrayList<>(group.subList(i + 1, group.size()));
      rest.add(behind);
      ChangeStream<String, String> stream = log.log().changes(group.get(i).sequence());
      assertEquals(group.get(i).sequence(), stream.sequence());
      assertEquals(rest, now(stream));
    }
  }

  @Test
  void aStreamThatIsSlowerThanTheCompactionIsToldSo() throws Exception {
    SimulatedLog log = simulated(Durability.PROCESS_DEATH);
    ChangeStream<String, String> slow = log.log().changes();
    for (int i = 0; i < 20; i++) {
      log.append(put("k" + i % 3, "v".repeat(500)));
      log.settle();
    }
    log.compact();
    LogException.HistoryTruncated told = null;
    int count = 0;
    try {
      while (count < 20) {
        count += now(slow).size();
      }
    } catch (LogException.HistoryTruncated historyTruncated) {
      told = historyTruncated;
    }
    assertTrue(told != null && count > 0 && count < 20, count + " from the file that it has open");
    assertThrows(LogException.HistoryTruncated.class, () -> slow.next(LONG), "and again");
    assertThrows(LogException.HistoryTruncated.class, () -> log.log().changes(slow.sequence()));
    long base = log.disk.newestBase(SimulatedLog.FOLDER);
    ChangeStream<String, String> anew = log.log().changes(base);
    Event next = log.append(put("next", ""));
    log.settle();
    assertEquals(List.of(next), now(anew));
  }

  @Test
  void aStreamThatHasToldAllIsNotDisturbedByACompaction() throws Exception {
    SimulatedLog log = simulated(Durability.POWER_CUT);
    ChangeStream<String, String> stream = log.log().changes();
    for (int i = 0; i < 20; i++) {
      Event change = log.append(put("k" + i % 3, "v".repeat(500)));
      log.settle();
      assertEquals(List.of(change), now(stream));
      if (i % 5 == 4) {
        log.compact();
      }
    }
  }

  @Test
  void sequencesOfNoChangeOfThisLogAreRefused() {
    SimulatedLog log = simulated(Durability.PROCESS_DEATH);
    long last = log.append(put("a", "1")).sequence();
    assertEquals(last, log.log().changes(last).sequence(), "written or not");
    assertThrows(IllegalArgumentException.class, () -> log.log().changes(-1));
    assertThrows(
        LogException.HistoryTruncated.class, () -> log.log().changes(last + 1), "of another life");
  }

  @Test
  void onlyAnOpenLogHasStreams() {
    FileLog<String, String> log = FileLog.at(folder, Codec.utf8(), Codec.utf8());
    assertThrows(IllegalStateException.class, log::changes);
    log.replay(Replayed.inOrder());
    log.close();
    assertThrows(IllegalStateException.class, log::changes);
    assertThrows(IllegalStateException.class, () -> log.changes(0));
  }

  @Test
  void whatComesBeforeADamagedPlaceIsToldFirst() throws Exception {
    SimulatedLog log = simulated(Durability.PROCESS_DEATH);
    ChangeStream<String, String> stream = log.log().changes();
    Event sound = log.append(put("a", "1"));
    log.append(put("b", "2"));
    log.settle();
    Path segment = SimulatedLog.FOLDER.resolve("0000000000000000.log");
    try (Disk.File file = log.disk.open(segment)) {
      file.write(ByteBuffer.wrap(new byte[] {'x'}), FileHeader.BYTES + 40 + 33);
    }
    assertEquals(List.of(sound), now(stream));
    LogException.Corrupt damaged =
        assertThrows(LogException.Corrupt.class, () -> stream.next(LONG));
    assertTrue(damaged.toString().contains("offset " + (4096 + 40)), damaged.toString());
  }

  @Test
  void whatTheDiskDoesNotGiveFailsTheStreamAndNotTheLog() throws Exception {
    SimulatedLog log = simulated(Durability.PROCESS_DEATH);
    ChangeStream<String, String> stream = log.log().changes();
    Event change = log.append(put("a", "1"));
    log.settle();
    log.disk.failAfter(0, false);
    assertThrows(LogException.Failed.class, () -> stream.next(LONG));
    assertEquals(List.of(change), now(stream));
    log.close();
  }

  @Test
  void whatWasReadBeforeTheDiskFailedIsToldByTheNextCall() throws Exception {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH, 1 << 20);
    log.open();
    ChangeStream<String, String> stream = log.log().changes();
    List<Event> history = new ArrayList<>();
    while (log.log().statistics().appendedBytes() < 70 << 10) { // more than is read at once
      history.add(log.append(put("k" + history.size(), "v".repeat(1000))));
      log.settle();
    }
    log.disk.failAfter(1, false);
    assertThrows(LogException.Failed.class, () -> stream.next(LONG));
    assertEquals(0, stream.sequence(), "nothing was told");
    assertEquals(history, all(stream, history.size()));
  }

  private static List<Event> all(ChangeStream<String, String> stream, int count)
      throws InterruptedException {
    List<Event> told = new ArrayList<>();
    int before;
    do {
      before = told.size();
      told.addAll(now(stream));
    } while (told.size() < count && told.size() > before);
    return told;
  }

  @ParameterizedTest
  @EnumSource
  void aStreamBeginsAlsoWhenTheNextSegmentHasJustGotItsName(Durability durability)
      throws Exception {
    SimulatedLog log = simulated(durability);
    List<ChangeStream<String, String>> streams = new ArrayList<>();
    long told = log.append(put("a", "v".repeat(900))).sequence();
    log.settle();
    Event next = log.append(put("b", "v".repeat(900)));
    log.disk.watch(
        operation -> {
          if (operation.equals("force directory")) {
            streams.add(log.log().changes(told));
          }
        });
    log.settle();
    log.disk.heal();
    assertEquals(1, streams.size(), "one segment has got its name");
    assertEquals(List.of(next), now(streams.get(0)));
  }

  @ParameterizedTest
  @EnumSource
  void severalWritersAndSeveralStreamsAtOnce(Durability durability) throws Exception {
    int appends = durability == Durability.POWER_CUT ? 300 : 2000;
    FileLog<String, String> log = open(durability);
    List<Future<List<Event>>> streams = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      streams.add(threads.submit(listening(log.changes())));
    }
    List<Future<?>> writers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      String writer = "w" + i;
      writers.add(threads.submit(() -> write(log, writer, appends)));
    }
    for (Future<?> writer : writers) {
      writer.get();
    }
    streams.add(threads.submit(listening(log.changes(0))));
    log.close();

    Replayed replayed = Replayed.inOrder();
    try (FileLog<String, String> again =
        FileLog.at(folder, Codec.utf8(), Codec.utf8()).durability(durability)) {
      again.replay(replayed);
    }
    List<Event> history = replayed.onlyEvents();
    assertEquals(3 * (appends + appends / 7), history.size());
    for (Future<List<Event>> stream : streams) {
      assertEquals(history, stream.get());
    }
  }

  private static void write(Log<String, String> log, String key, int appends) {
    for (int i = 0; i < appends; i++) {
      if (i % 7 == 6) {
        log.appendAtomically(List.of(put(key, i + "x".repeat(i % 100)), put(key + "'", "y")));
      } else {
        log.append(put(key, i + "x".repeat(i % 100)));
      }
    }
  }

  /** Listens until the log is closed. */
  private static Callable<List<Event>> listening(ChangeStream<String, String> stream) {
    return () -> {
      List<Event> told = new ArrayList<>();
      try (stream) {
        while (true) {
          told.addAll(events(stream.next(LONG)));
        }
      } catch (IllegalStateException closed) {
        return told;
      }
    };
  }

  @ParameterizedTest
  @EnumSource
  void aChangeWakesWhoWaitsForItThoughNobodyWaitsForItsAcknowledgement(Durability durability)
      throws Exception {
    try (FileLog<String, String> log = open(durability);
        ChangeStream<String, String> stream = log.changes()) {
      for (int i = 0; i < 20; i++) {
        CountDownLatch begun = new CountDownLatch(1);
        Future<List<Event>> next =
            threads.submit(
                () -> {
                  begun.countDown();
                  return events(stream.next(LONG));
                });
        begun.await();
        Change<String, String> change = put("a", "" + i);
        long sequence = log.append(change);
        assertEquals(List.of(new Event(sequence, change)), next.get(2, TimeUnit.MINUTES));
      }
    }
  }

  @Test
  void closingAStreamWakesWhoWaitsAndMayBeDoneTwice() throws Exception {
    try (FileLog<String, String> log = open(Durability.PROCESS_DEATH)) {
      ChangeStream<String, String> stream = log.changes();
      Future<List<Event>> waiting = threads.submit(() -> events(stream.next(Duration.ofDays(999))));
      stream.close();
      stream.close();
      assertEquals(List.of(), waiting.get(2, TimeUnit.MINUTES));
      log.append(put("a", "1"));
      assertEquals(List.of(), now(stream));
    }
  }

  @Test
  void aStreamThatHasPassedALifeWithoutAChangeIsResumed() throws Exception {
    SimulatedLog log =
        new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH).skipping(new Random(1));
    log.open();
    Event change = log.append(put("a", "1"));
    for (int life = 0; life < 3; life++) {
      log.disk.killProcess();
      log.reopen(1, "killed");
      ChangeStream<String, String> stream = log.log().changes(change.sequence());
      assertEquals(List.of(), now(stream));
      long reached = stream.sequence();
      try (ChangeStream<String, String> resumed = log.log().changes(reached)) {
        assertEquals(List.of(), now(resumed));
      }
    }
  }

  @Test
  void interruptsEndTheWaitingAndLoseNothing() throws Exception {
    int appends = 3000;
    try (FileLog<String, String> log = open(Durability.PROCESS_DEATH);
        ChangeStream<String, String> stream = log.changes()) {
      AtomicBoolean done = new AtomicBoolean();
      CountDownLatch begun = new CountDownLatch(1);
      List<Event> told = new ArrayList<>();
      Thread listener =
          new Thread(
              () -> {
                begun.countDown();
                while (told.size() < appends) {
                  try {
                    told.addAll(events(stream.next(LONG)));
                  } catch (InterruptedException goOn) {
                    // And again.
                  }
                }
                done.set(true);
              });
      listener.start();
      begun.await();
      List<Event> history = new ArrayList<>();
      for (int i = 0; i < appends; i++) {
        Change<String, String> change = put("k" + i, "v".repeat(i % 200));
        history.add(new Event(log.append(change), change));
        listener.interrupt();
      }
      while (listener.isAlive()) {
        listener.interrupt();
        listener.join(1);
      }
      assertTrue(done.get());
      assertEquals(history, told);
    }
  }

  @Test
  void anInterruptThatComesBeforeChangesThatAreThereIsKept() throws Exception {
    SimulatedLog log = simulated(Durability.PROCESS_DEATH);
    ChangeStream<String, String> stream = log.log().changes();
    Event change = log.append(put("a", "1"));
    log.settle();
    Thread.currentThread().interrupt();
    assertEquals(List.of(change), events(stream.next(LONG)));
    assertThrows(InterruptedException.class, () -> stream.next(LONG));
  }

  @Test
  void aCopyOfALogHasForgottenWhatTheLogDidLater() throws IOException {
    SimulatedLog log = simulated(Durability.PROCESS_DEATH);
    log.append(put("a", "1"));
    Path copy = Path.of("copy");
    var done = log.requestBackup(copy);
    while (!done.isDone()) {
      log.compactStep();
      log.step();
    }
    log.append(put("b", "2"));
    long later = log.append(put("c", "3")).sequence();
    LogDirectory directory = new LogDirectory(log.disk, copy);
    HighWatermark watermark =
        new HighWatermark(
            new RingBuffer(ByteBuffer.allocateDirect(4096 + 64), 64, 1L << 41, 0),
            new DurablePosition(0, new FutureCompleter(Runnable::run)),
            Durability.PROCESS_DEATH,
            0);
    assertThrows(
        LogException.HistoryTruncated.class,
        () -> SegmentCursor.open(directory, watermark, later, 1L << 41).close());
    SegmentCursor.open(directory, watermark, 40, 1L << 41).close();
  }
}
