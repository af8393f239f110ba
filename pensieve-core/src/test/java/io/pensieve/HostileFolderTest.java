package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.file.FileLog;
import io.pensieve.testing.Depth;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What others do to a map's folder and to its callers' threads. */
@Tag(Depth.TAG)
class HostileFolderTest {
  private static final int WRITERS = 3;
  private static final int PUTS = 300;
  private static final int REOPENINGS = Depth.of(5, 50, 1_000);
  private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(2);

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Path parent;

  HostileFolderTest(@TempDir Path parent) {
    this.parent = parent;
  }

  @AfterEach
  void endThreads() {
    threads.shutdownNow();
  }

  private static Pensieve<String, String> open(Path folder, Durability durability) {
    return Pensieve.<String, String>builder()
        .maximumEntries(10_000)
        .log(FileLog.at(folder, Codec.utf8(), Codec.utf8()).durability(durability))
        .open();
  }

  @ParameterizedTest
  @EnumSource
  void aMapWhoseFolderIsRemovedRefusesWritesAndStillAnswersReads(Durability durability)
      throws IOException {
    Path folder = parent.resolve("removed");
    Pensieve<String, String> map = open(folder, durability);
    map.put("a", "1");
    remove(folder);
    LogException.Failed failed = assertThrows(LogException.Failed.class, () -> putOnAndOn(map));
    assertTrue(failed.toString().contains(folder.toString()), failed.toString());
    assertEquals("1", map.get("a"));
    assertThrows(LogException.Failed.class, () -> map.remove("a"));
    assertEquals("1", map.get("a"));
    assertThrows(LogException.Failed.class, map::close);
  }

  @Test
  void aRemovedFolderIsNoticedAtTheNextForce() throws IOException {
    Path folder = parent.resolve("removed");
    Pensieve<String, String> map = open(folder, Durability.POWER_CUT);
    map.put("a", "1");
    remove(folder);
    LogException.Failed failed = assertThrows(LogException.Failed.class, () -> map.put("b", "2"));
    assertTrue(failed.toString().contains("LOCK is gone"), failed.toString());
    assertThrows(LogException.Failed.class, map::close);
  }

  private static void remove(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  // The log looks at its folder ten times a second.
  private static void putOnAndOn(Pensieve<String, String> map) {
    long start = System.nanoTime();
    while (System.nanoTime() - start < PATIENCE_NANOS) {
      map.put("b", "2");
    }
  }

  @Test
  void aFolderBelowAFileIsRefusedAndNothingIsLeft() throws IOException {
    Path file = Files.writeString(parent.resolve("file"), "not a folder");
    LogException.Failed refused =
        assertThrows(
            LogException.Failed.class,
            () -> open(file.resolve("below").resolve("it"), Durability.PROCESS_DEATH));
    assertTrue(refused.toString().contains(file + " is not a folder"), refused.toString());
    assertEquals("not a folder", Files.readString(file));
  }

  @Test
  void foldersAboveAreMadeToo() {
    Path folder = parent.resolve("a").resolve("b").resolve("c");
    open(folder, Durability.POWER_CUT).close();
    assertTrue(Files.isRegularFile(folder.resolve("ring")));
  }

  @ParameterizedTest
  @EnumSource
  void interruptsInEveryThreadLoseNothingAndFailNothing(Durability durability) throws Exception {
    Path folder = parent.resolve("interrupted");
    AtomicBoolean isOver = new AtomicBoolean();
    CountDownLatch writing = new CountDownLatch(WRITERS);
    List<Thread> writers = new ArrayList<>();
    Pensieve<String, String> map = open(folder, durability);
    for (int w = 0; w < WRITERS; w++) {
      String name = "w" + w + "-";
      writers.add(new Thread(() -> write(map, name, writing)));
    }
    writers.forEach(Thread::start);
    Thread closer = Thread.currentThread();
    Future<?> interrupting = threads.submit(() -> interrupt(writers, closer, isOver));
    try {
      while (writing.getCount() > 0) {
        LockSupport.parkNanos(1_000_000); // which does not mind interrupts
      }
      map.close();
      for (int again = 0; again < REOPENINGS; again++) {
        open(folder, durability).close();
      }
    } finally {
      isOver.set(true); // whatever was thrown: else it goes on, in whatever test comes next
      awaitUninterrupted(interrupting);
    }
    assertEquals(WRITERS * PUTS, count(folder, durability));
  }

  private static void write(Pensieve<String, String> map, String name, CountDownLatch writing) {
    try {
      for (int i = 0; i < PUTS; i++) {
        map.put(name + i, "v");
        assertEquals("v", map.get(name + i));
      }
    } finally {
      writing.countDown();
    }
  }

  private static void interrupt(List<Thread> writers, Thread closer, AtomicBoolean isOver) {
    while (!isOver.get()) {
      writers.forEach(Thread::interrupt);
      closer.interrupt();
    }
  }

  private static void awaitUninterrupted(Future<?> done) throws Exception {
    while (true) {
      try {
        done.get();
        boolean ignored = Thread.interrupted();
        return;
      } catch (InterruptedException goOnWaiting) {
        // That is what this test does to it.
      }
    }
  }

  private static int count(Path folder, Durability durability) {
    try (Pensieve<String, String> map = open(folder, durability)) {
      assertTrue(map.recovery().closedCleanly());
      return map.size();
    }
  }
}
