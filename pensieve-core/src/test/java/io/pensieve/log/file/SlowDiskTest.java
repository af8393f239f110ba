package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Any operation of the disk, from the opening's end on, takes as long as it likes: no reader waits,
 * writers go on until the ring is full, and closing ends when the disk goes on.
 */
@Timeout(240)
class SlowDiskTest {
  private static final int RING_BYTES = 64 << 10;
  private static final String VALUE = "v".repeat(1000);
  private static final int FRAMES_MAX = RING_BYTES / 1100; // so many fit into an empty ring
  private static final int PUTS = 300; // a roll and a compaction come in that time
  private static final long PATIENCE_SECONDS = 120;

  private final Path parent;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  SlowDiskTest(@TempDir Path parent) {
    this.parent = parent;
  }

  @AfterEach
  void endThreads() throws InterruptedException {
    threads.shutdownNow();
    assertTrue(threads.awaitTermination(2, TimeUnit.MINUTES), "all threads end");
  }

  private static FileLog<String, String> log(Disk disk, Path folder, Durability durability) {
    LogSettings settings =
        new LogSettings(
            end -> end,
            durability,
            RING_BYTES,
            RING_BYTES / 2,
            32 << 10,
            0,
            new LogSettings.Compaction(48 << 10, 4096, 1L << 40, 1L << 40),
            ReplayPipeline.Settings.ofThreads(1));
    return FileLog.open(disk, folder, Codec.utf8(), Codec.utf8(), settings, LogThreads.daemons());
  }

  private static Pensieve<String, String> map(FileLog<String, String> log) {
    return Pensieve.<String, String>builder().maximumEntries(1000).log(log).open();
  }

  @ParameterizedTest
  @EnumSource
  void whateverOperationIsSlowNoReaderWaitsAndWritersGoOn(Durability durability) throws Exception {
    Set<String> kinds = operations(durability);
    assertTrue(kinds.containsAll(Set.of("File.write", "File.force", "Disk.rename")), kinds + "");
    Set<String> held = new TreeSet<>();
    for (String kind : kinds) {
      SlowDisk disk = new SlowDisk();
      Path folder = Files.createDirectory(parent.resolve(kind));
      FileLog<String, String> log = log(disk.disk(), folder, durability);
      Pensieve<String, String> map = map(log);
      map.put("first", "1");
      disk.hold(kind);
      int puts = putUntilHeld(disk, log, map);
      if (disk.isHolding()) {
        held.add(kind);
        puts = holdsUpNobody(disk, map, puts);
      }
      Future<?> closed = threads.submit(map::close);
      assertReads(map);
      disk.release();
      closed.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      assertReopens(folder, durability, puts);
    }
    System.out.println("SlowDiskTest: held " + held + " of " + kinds);
    assertTrue(held.containsAll(Set.of("File.write", "File.force")), held + "");
  }

  /** All that a life does, once it is open. */
  private Set<String> operations(Durability durability) throws IOException {
    SlowDisk disk = new SlowDisk();
    Path folder = Files.createDirectory(parent.resolve("seen"));
    FileLog<String, String> log = log(disk.disk(), folder, durability);
    try (Pensieve<String, String> map = map(log)) {
      disk.forget();
      for (int i = 0; i < PUTS; i++) {
        map.put("k" + i, VALUE);
      }
      log.compact();
    }
    return new TreeSet<>(disk.operations());
  }

  // One after another, so that the ring is as good as empty when the operation is held.
  private static int putUntilHeld(
      SlowDisk disk, FileLog<String, String> log, Pensieve<String, String> map) {
    int puts = 0;
    while (puts < PUTS && !disk.isHolding()) {
      map.putAsync("k" + puts++, VALUE);
      while (!disk.isHolding() && log.statistics().waitingBytes() > 0) {
        Thread.onSpinWait();
      }
    }
    return puts;
  }

  private int holdsUpNobody(SlowDisk disk, Pensieve<String, String> map, int before)
      throws Exception {
    assertReads(map);
    int fit = before + FRAMES_MAX - 4;
    put(map, before, fit).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    int all = fit + 16;
    Future<?> tooMany = put(map, fit, all);
    assertReads(map);
    if (disk.holdsWriter()) {
      assertFalse(tooMany.isDone(), "more than fit into the ring");
    }
    disk.release();
    tooMany.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    return all;
  }

  private Future<?> put(Pensieve<String, String> map, int from, int to) {
    return threads.submit(
        () -> {
          for (int i = from; i < to; i++) {
            map.putAsync("k" + i, VALUE);
          }
        });
  }

  private void assertReads(Pensieve<String, String> map) throws Exception {
    Future<String> read =
        threads.submit(
            () -> {
              assertTrue(map.size() > 0);
              assertTrue(map.statistics().log().appendedBytes() > 0);
              return map.get("first");
            });
    assertEquals("1", read.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
  }

  private static void assertReopens(Path folder, Durability durability, int puts) {
    try (Pensieve<String, String> map = map(log(new FileDisk(), folder, durability))) {
      assertEquals(puts + 1, map.size(), () -> folder + " has it all");
    }
  }
}
