package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LiveEntries;
import io.pensieve.log.LogException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What goes wrong around the log's writer, one thing at a time. */
@Timeout(120)
class WriterFaultTest {
  static final int RING_BYTES = 8192;

  private static Change<String, String> put(String key, String value) {
    return new Change.Put<>(key, value, Change.NEVER);
  }

  private static LogSettings settings(Durability durability, LogSettings.Compaction compaction) {
    return new LogSettings(
        end -> end,
        durability,
        RING_BYTES,
        RING_BYTES / 2,
        64 << 10,
        0,
        compaction,
        ReplayPipeline.Settings.ofThreads(1));
  }

  static FileLog<String, String> open(Path folder, LogThreads threads) {
    return open(new FileDisk(), folder, threads);
  }

  static FileLog<String, String> open(Disk disk, Path folder, LogThreads threads) {
    LogSettings.Compaction compaction = new LogSettings.Compaction(1 << 20, 4096, 1 << 30, 1 << 30);
    FileLog<String, String> log =
        FileLog.open(
            disk,
            folder,
            Codec.utf8(),
            Codec.utf8(),
            settings(Durability.POWER_CUT, compaction),
            threads);
    log.replay(Replayed.inOrder());
    return log;
  }

  static List<String> keysOf(Path folder) {
    Replayed replayed = Replayed.inOrder();
    try (FileLog<String, String> log =
        FileLog.at(folder, Codec.utf8(), Codec.utf8()).durability(Durability.POWER_CUT)) {
      log.replay(replayed);
    }
    return replayed.events().stream().map(event -> event.change().key()).toList();
  }

  // No threads.

  private static Executor refusing() {
    return work -> {
      throw new OutOfMemoryError("unable to create native thread");
    };
  }

  @Test
  void aLogWithoutAThreadForItsWriterIsRefusedAndClosed(@TempDir Path folder) {
    LogThreads daemons = LogThreads.daemons();
    Executor none =
        work -> {
          throw new LogException.Failed("cannot start the thread", null);
        };
    for (LogThreads threads :
        List.of(
            new LogThreads(
                none,
                daemons.background(),
                daemons.completions(),
                daemons.compactor(),
                daemons.nanoTime()),
            new LogThreads(
                daemons.logWriter(),
                daemons.background(),
                none,
                daemons.compactor(),
                daemons.nanoTime()))) {
      FileLog<String, String> log =
          FileLog.open(
              new FileDisk(),
              folder,
              Codec.utf8(),
              Codec.utf8(),
              settings(Durability.POWER_CUT, new LogSettings.Compaction(1 << 20, 4096, 1, 1)),
              threads);
      LogException.Failed refused =
          assertThrows(LogException.Failed.class, () -> log.replay(Replayed.inOrder()));
      assertTrue(refused.toString().contains("cannot start the thread"), refused.toString());
      log.close();
    }
    assertEquals(List.of(), keysOf(folder));
  }

  @Test
  void aLogWithoutAThreadForItsSpareGoesOn(@TempDir Path folder) {
    LogThreads daemons = LogThreads.daemons();
    FileLog<String, String> log =
        open(
            folder,
            new LogThreads(
                daemons.logWriter(),
                refusing(),
                daemons.completions(),
                daemons.compactor(),
                daemons.nanoTime()));
    for (int i = 0; i < 40; i++) {
      log.awaitDurable(log.append(put("k" + i, "x".repeat(RING_BYTES / 3))));
    }
    log.close();
    assertEquals(40, keysOf(folder).size());
  }

  // What is refused is tried again.

  @ParameterizedTest
  @EnumSource(
      value = DiskFault.class,
      names = {"NO_QUOTA", "NO_DESCRIPTORS"})
  void aRollThatIsRefusedIsRepeated(DiskFault fault) {
    for (Durability durability : Durability.values()) {
      SimulatedLog log = new SimulatedLog(new SimulatedDisk(), durability);
      log.open();
      log.append(put("a", "x".repeat(700)));
      log.settle();
      log.append(put("b", "x".repeat(700))); // may go to the segment that is open already
      long last = log.append(put("c", "x".repeat(700))).sequence();
      log.disk.failAfter(0, true, fault);
      for (int i = 0; i < 200; i++) {
        log.step();
      }
      assertEquals(Optional.empty(), log.log().statistics().failure());
      assertTrue(log.log().statistics().refusal().isPresent(), "told: puts are refused");
      assertThrows(LogException.Full.class, () -> log.append(put("d", "4")));
      assertTrue(log.log().openLog().watermark().position() < last);
      log.disk.heal();
      for (int i = 0; i < 5; i++) {
        log.step();
      }
      assertTrue(log.log().openLog().watermark().position() >= last);
      assertEquals(Optional.empty(), log.log().statistics().refusal());
      log.append(put("e", "5"));
      log.close();
      log.reopen(4, "a roll was refused");
    }
  }

  @Test
  void theNextSegmentIsOpenBeforeDescriptorsRunOut() {
    for (Durability durability : Durability.values()) {
      SimulatedLog log = new SimulatedLog(new SimulatedDisk(), durability);
      log.open();
      log.append(put("a", "x".repeat(700)));
      log.settle();
      log.disk.failAfter(0, true, DiskFault.NO_DESCRIPTORS);
      log.append(put("b", "x".repeat(700)));
      log.step();
      log.step();
      assertEquals(Optional.empty(), log.log().statistics().refusal());
      log.disk.heal();
      log.close();
      log.reopen(2, "descriptors ran out");
    }
  }

  @Test
  void aFullDiskGetsTheSpareBack() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);
    log.open();
    Path spare = SimulatedLog.FOLDER.resolve("spare.tmp");
    assertTrue(log.disk.exists(spare));
    log.disk.usableBytes(100);
    log.step();
    log.step();
    assertFalse(log.disk.exists(spare));
    log.disk.usableBytes(1 << 20);
    log.step();
    log.step();
    log.append(put("a", "1"));
    log.close();
    log.reopen(1, "a spare was given back");
  }

  @Test
  void aDiskThatIsShortAtTheOpeningRefusesTheFirstPut() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH);
    log.disk.watch(
        operation -> {
          if (operation.equals("create reserve.tmp")) { // the opening's last one
            log.disk.usableBytes(100);
          }
        });
    log.open();
    assertThrows(LogException.Full.class, () -> log.append(put("a", "1")));
    log.append(new Change.Remove<>("a"));
    log.disk.usableBytes(1 << 20);
    log.step();
    log.step();
    log.append(put("b", "2"));
  }

  @Test
  void aLogThatFailedOnAFullDiskSaysThatItFailed() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);
    log.open();
    log.disk.usableBytes(100);
    log.step();
    log.step();
    log.append(new Change.Remove<>("a"));
    log.disk.usableBytes(500);
    log.disk.failAfter(1, true); // the force
    log.step();
    log.step();
    assertTrue(log.log().statistics().failure().isPresent());
    assertThrows(LogException.Failed.class, () -> log.append(put("b", "2")));
    assertThrows(LogException.Failed.class, () -> log.append(new Change.Remove<>("b")));
  }

  @Test
  void aLogThatFailsWithoutMemorySaysSoAndLetsEverybodyGo() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);
    log.open();
    CompletableFuture<Void> waiting = log.log().whenDurable(log.append(put("a", "1")).sequence());
    log.disk.failAfter(1, true, DiskFault.NO_WORDS); // the force
    log.step();
    log.step();
    String failure = log.log().statistics().failure().orElseThrow();
    assertTrue(failure.contains("for want of memory"), failure);
    assertTrue(waiting.isCompletedExceptionally());
    assertThrows(LogException.Failed.class, () -> log.append(put("b", "2")));
    assertThrows(LogException.Failed.class, log::close);
    assertEquals(0, log.disk.locks());
  }

  // The folder is another's.

  @Test
  void nothingIsAcknowledgedWhenTheFolderWasTakenDuringTheForce() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);
    log.open();
    long position = log.append(put("a", "1")).sequence();
    CompletableFuture<Void> waiting = log.log().whenDurable(position);
    log.disk.watch(
        operation -> {
          if (operation.startsWith("force ")) {
            log.disk.takeFolders();
          }
        });
    log.step(); // looks at the folder before it forces, not for another 100 ms afterwards
    assertTrue(waiting.isCompletedExceptionally(), "whoever took it has not read this");
    assertTrue(log.log().durableSequence() < position);
    assertTrue(log.log().statistics().failure().orElseThrow().contains("took the folder"));
  }

  @Test
  void aBaseGetsNoNameInAFolderThatWasTaken() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH);
    log.open();
    log.append(put("a", "1"));
    CompletableFuture<Void> compacted = log.requestCompaction();
    log.disk.watch(
        operation -> {
          if (operation.startsWith("force base")) {
            log.disk.takeFolders();
          }
        });
    for (int steps = 0; !compacted.isDone() && steps < 100; steps++) {
      log.compactStep();
      log.step();
    }
    assertTrue(compacted.isCompletedExceptionally());
    assertEquals(0, log.disk.newestBase(SimulatedLog.FOLDER));
  }

  // Closing.

  @Test
  void anErrorThatIsThrownTwiceStaysItself() {
    OutOfMemoryError same = new OutOfMemoryError("the virtual machine has one ready");
    Disk disk = throwing(Disk.class, same);
    Disk.File file = throwing(Disk.File.class, same);
    Path path = Path.of("spare");
    assertSame(same, assertThrows(Error.class, () -> Segment.discard(disk, file, path)));
    UninterruptibleThread.Work<Long> work =
        () -> {
          try (Disk.File closed = file) {
            return closed.size();
          }
        };
    assertSame(same, assertThrows(Error.class, () -> UninterruptibleThread.call("test", work)));
  }

  private static <T> T throwing(Class<T> type, Error error) {
    return type.cast(
        Proxy.newProxyInstance(
            WriterFaultTest.class.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              throw error;
            }));
  }

  @Test
  void anErrorInCloseLeavesTheFolderLockedUntilTheNextClose() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH);
    log.open();
    log.append(put("a", "1"));
    log.settle();
    CompletableFuture<Void> ignored = log.requestCompaction();
    assertTrue(log.compactStep(), "a base is in the making, and to be deleted");
    AtomicBoolean struck = new AtomicBoolean();
    log.disk.watch(
        operation -> {
          if (operation.startsWith("delete") && !struck.getAndSet(true)) {
            throw new InternalError(operation);
          }
        });
    assertThrows(InternalError.class, log::closeLog);
    assertEquals(1, log.disk.locks(), "who works there may be working yet");
    log.disk.heal();
    log.closeLog();
    assertEquals(0, log.disk.locks());
    log.reopen(1, "an error in close");
  }

  @Test
  void aCodecThatThrowsACancellationEndsOneCompactionOnly(@TempDir Path folder) {
    AtomicInteger encoded = new AtomicInteger();
    Codec<String> cancelling =
        new Codec<>() {
          @Override
          public byte[] encode(String value) {
            if (encoded.incrementAndGet() == 2) {
              throw new CancellationException("by a codec");
            }
            return Codec.utf8().encode(value);
          }

          @Override
          public String decode(byte[] bytes) {
            return Codec.utf8().decode(bytes);
          }
        };
    LiveModel map = new LiveModel();
    try (FileLog<String, String> log = FileLog.at(folder, Codec.utf8(), cancelling)) {
      log.replay(Replayed.inOrder());
      log.attach((LiveEntries<String, String>) map);
      Change<String, String> put = put("a", "1");
      map.apply(new SimulatedLog.Event(log.append(put), put));
      assertTimeoutPreemptively(
          Duration.ofSeconds(60),
          () -> {
            assertThrows(IllegalStateException.class, log::compact);
            log.compact();
          });
      assertEquals(1, log.statistics().compactions());
    }
  }

  // Idleness.

  @Test
  void anInterruptedWriterRestsWhileTheRingIsFullAndKeepsItsFlag() throws Exception {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH);
    log.open();
    Change<String, String> half = put("a", "x".repeat(SimulatedLog.RING_BYTES / 3));
    long first = log.log().append(half);
    log.log().append(half);
    AtomicBoolean isInterrupted = new AtomicBoolean();
    Thread writer =
        new Thread(
            () -> {
              Thread.currentThread().interrupt();
              log.log().append(half);
              isInterrupted.set(Thread.interrupted());
            });
    writer.start();
    while (writer.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    while (log.log().openLog().watermark().position() < first) {
      log.step();
    }
    log.settle();
    writer.join();
    assertTrue(isInterrupted.get());
  }

  @Test
  void whoWaitsForChangesIsNotWokenWhileNoneCome() throws Exception {
    RingBuffer ring =
        new RingBuffer(
            ByteBuffer.allocateDirect(FileHeader.BYTES + 4096).order(ByteOrder.LITTLE_ENDIAN),
            4096,
            0,
            0);
    HighWatermark watermark =
        new HighWatermark(
            ring,
            new DurablePosition(0, new FutureCompleter(Runnable::run)),
            Durability.PROCESS_DEATH,
            0);
    AtomicInteger looks = new AtomicInteger();
    CountDownLatch waiting = new CountDownLatch(1);
    Thread stream =
        new Thread(
            () -> {
              try {
                watermark.await(
                    0,
                    () -> {
                      looks.incrementAndGet();
                      waiting.countDown();
                      return true;
                    },
                    Long.MAX_VALUE);
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    stream.start();
    waiting.await();
    while (stream.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    for (int step = 0; step < 1000; step++) {
      watermark.wakeIfMoved();
    }
    assertEquals(1, looks.get());
    FrameEncoder draft =
        FrameEncoder.of(new Change.Remove<String, String>("key"), Codec.utf8(), Codec.utf8());
    int bytes = Format.align((int) draft.length());
    ring.write(ring.tryClaim(bytes), 0, draft);
    ring.release(0, bytes);
    watermark.wakeIfMoved();
    stream.join();
  }
}
