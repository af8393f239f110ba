package io.pensieve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.file.FileLog;
import io.pensieve.testing.Seed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Backups of maps that are in use, on a real disk. */
class MapBackupTest {
  private static final int WRITERS = 3;
  private static final int KEYS = 200; // of each writer
  private static final String VALUE = "x".repeat(200);

  private final Path folder;

  MapBackupTest(@TempDir Path folder) {
    this.folder = folder;
  }

  private Pensieve<String, String> open(String name, Durability durability) {
    return Pensieve.<String, String>builder()
        .maximumEntries(1L * WRITERS * KEYS)
        .log(FileLog.at(folder.resolve(name), Codec.utf8(), Codec.utf8()).durability(durability))
        .open();
  }

  @ParameterizedTest
  @EnumSource
  void aBackupUnderWritersHasOfEachAPrefixWithAllThatWasAcknowledgedBefore(Durability durability)
      throws Exception {
    Random random = Seed.random(MapBackupTest.class);
    ExecutorService threads = Executors.newFixedThreadPool(WRITERS);
    AtomicBoolean stopped = new AtomicBoolean();
    AtomicLongArray acknowledged = new AtomicLongArray(WRITERS);
    List<Long> before = new ArrayList<>();
    try (var map = open("map", durability)) {
      List<CompletableFuture<Void>> writers = new ArrayList<>();
      for (int writer = 0; writer < WRITERS; writer++) {
        int self = writer;
        Random own = new Random(random.nextLong());
        writers.add(
            CompletableFuture.runAsync(
                () -> write(map, self, own, stopped, acknowledged), threads));
      }
      while (sum(acknowledged) < 3L * WRITERS * KEYS) {
        assertTrue(writers.stream().noneMatch(CompletableFuture::isDone));
        Thread.onSpinWait();
      }
      for (int writer = 0; writer < WRITERS; writer++) {
        before.add(acknowledged.get(writer));
      }
      map.backup(folder.resolve("backup"));
      stopped.set(true);
      writers.forEach(CompletableFuture::join);
    } finally {
      stopped.set(true);
      threads.shutdown();
      assertTrue(threads.awaitTermination(2, TimeUnit.MINUTES));
    }
    try (var backup = open("backup", durability)) {
      assertTrue(backup.recovery().closedCleanly());
      for (int writer = 0; writer < WRITERS; writer++) {
        assertPrefix(backup, writer, before.get(writer), acknowledged.get(writer));
      }
      backup.put("goes on", "1");
    }
  }

  private static long sum(AtomicLongArray counts) {
    long sum = 0;
    for (int i = 0; i < counts.length(); i++) {
      sum += counts.get(i);
    }
    return sum;
  }

  // The n-th change of a writer is to its key n mod KEYS; every seventh one removes.
  private static void write(
      Pensieve<String, String> map,
      int writer,
      Random random,
      AtomicBoolean stopped,
      AtomicLongArray acknowledged) {
    for (long n = 1; !stopped.get(); n++) {
      String key = writer + "-" + n % KEYS;
      if (n % 7 == 0) {
        map.remove(key);
      } else {
        map.put(key, n + VALUE.substring(random.nextInt(VALUE.length())));
      }
      map.get(writer + "-" + random.nextInt(KEYS));
      acknowledged.set(writer, n);
    }
  }

  private static void assertPrefix(
      Pensieve<String, String> backup, int writer, long least, long most) {
    long last = 0;
    for (int key = 0; key < KEYS; key++) {
      last = Math.max(last, numberOf(backup, writer, key));
    }
    long shown = last;
    // Removals may follow the last put that is seen, up to the end of what was acknowledged.
    boolean isPrefix = false;
    for (long end = shown; end <= Math.min(shown + 1, most + 1) && !isPrefix; end++) {
      isPrefix = end >= least && isPrefixOf(backup, writer, end);
    }
    assertTrue(isPrefix, () -> "writer " + writer + ": " + shown + " of " + least + " to " + most);
  }

  private static boolean isPrefixOf(Pensieve<String, String> backup, int writer, long end) {
    for (int key = 0; key < KEYS; key++) {
      long change = end - Math.floorMod(end - key, (long) KEYS);
      long expected = change <= 0 || change % 7 == 0 ? 0 : change;
      if (numberOf(backup, writer, key) != expected) {
        return false;
      }
    }
    return true;
  }

  private static long numberOf(Pensieve<String, String> backup, int writer, int key) {
    String value = backup.get(writer + "-" + key);
    return value == null ? 0 : Long.parseLong(value.replace("x", ""));
  }

  @Test
  void aBackupKeepsEntriesAndOrderAndLeavesTheMapAsItIs() throws IOException {
    try (var map = open("map", Durability.PROCESS_DEATH)) {
      for (int i = 0; i < 50; i++) {
        map.put("k" + i, "v" + i);
      }
      map.get("k0");
      map.backup(folder.resolve("a/b/backup"));
      map.put("later", "1");
      assertEquals(51, map.size());
    }
    try (var backup = open("a/b/backup", Durability.POWER_CUT)) {
      assertEquals(50, backup.size());
      assertEquals("v49", backup.get("k49"));
      assertFalse(backup.containsKey("later"));
    }
  }

  @Test
  void aBackupOfABackupGoesOnAndNoVersionIsGivenTwice() {
    long version;
    try (var map = open("map", Durability.PROCESS_DEATH)) {
      map.put("a", "1");
      map.backup(folder.resolve("first"));
      version = map.putAsync("a", "2").version();
    }
    try (var first = open("first", Durability.PROCESS_DEATH)) {
      assertEquals("1", first.get("a"));
      assertTrue(first.putAsync("a", "3").version() > version);
      first.backup(folder.resolve("second"));
    }
    try (var second = open("second", Durability.PROCESS_DEATH)) {
      assertEquals("3", second.get("a"));
    }
  }

  @Test
  void anEmptyMapIsBackedUpToo() {
    try (var map = open("map", Durability.PROCESS_DEATH)) {
      map.backup(folder.resolve("backup"));
    }
    try (var backup = open("backup", Durability.PROCESS_DEATH)) {
      assertTrue(backup.isEmpty());
    }
  }

  @Test
  void aFolderInUseOrNotEmptyOrNotAFolderIsRefusedClearly() throws IOException {
    try (var map = open("map", Durability.PROCESS_DEATH);
        var other = open("other", Durability.PROCESS_DEATH)) {
      map.put("a", "1");
      Path self = folder.resolve("map");
      var notEmpty = assertThrows(IllegalArgumentException.class, () -> map.backup(self));
      assertTrue(notEmpty.toString().contains(self + " holds "), notEmpty.toString());
      assertThrows(IllegalArgumentException.class, () -> map.backup(folder.resolve("other")));
      Path file = Files.writeString(folder.resolve("file"), "kept");
      assertThrows(UncheckedIOException.class, () -> map.backup(file));
      assertThrows(UncheckedIOException.class, () -> map.backup(file.resolve("below")));
      assertEquals("kept", Files.readString(file));
      Path empty = Files.createDirectory(folder.resolve("empty"));
      map.backup(empty);
      assertTrue(other.isEmpty());
    }
  }

  @Test
  void aMapWithoutALogOrThatIsClosedRefusesABackup() {
    try (var map = Pensieve.<String, String>builder().open()) {
      assertThrows(UnsupportedOperationException.class, () -> map.backup(folder.resolve("backup")));
    }
    var closed = open("map", Durability.PROCESS_DEATH);
    closed.close();
    assertThrows(IllegalStateException.class, () -> closed.backup(folder.resolve("backup")));
    assertFalse(Files.exists(folder.resolve("backup")));
  }

  @Test
  void anInterruptOfTheCallerDoesNoHarmAndIsKept() {
    try (var map = open("map", Durability.PROCESS_DEATH)) {
      map.put("a", "1");
      Thread.currentThread().interrupt();
      map.backup(folder.resolve("backup"));
      assertTrue(Thread.interrupted());
      map.put("b", "2");
    }
    try (var backup = open("backup", Durability.PROCESS_DEATH)) {
      assertEquals("1", backup.get("a"));
    }
  }

  @Test
  void anUnfinishedCopyIsRefusedByItsName() throws IOException {
    try (var map = open("map", Durability.PROCESS_DEATH)) {
      map.backup(folder.resolve("backup"));
    }
    Files.createFile(folder.resolve("backup/unfinished"));
    var refused =
        assertThrows(
            LogException.Corrupt.class, () -> open("backup", Durability.PROCESS_DEATH).close());
    assertTrue(refused.toString().contains("unfinished"), refused.toString());
  }
}
