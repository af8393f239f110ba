package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.ReplayHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FileLogTest {
  private final Path parent;

  FileLogTest(@TempDir Path parent) {
    this.parent = parent;
  }

  private Path folder() {
    return parent.resolve("log");
  }

  private FileLog<String, byte[]> open(Durability durability) {
    return FileLog.at(folder(), Codec.utf8(), Codec.bytes()).durability(durability);
  }

  private record RecordedReplay(List<Change<String, byte[]>> changes, List<Long> sequences)
      implements ReplayHandler<String, byte[]> {
    RecordedReplay() {
      this(new ArrayList<>(), new ArrayList<>());
    }

    @Override
    public void change(long sequence, Change<String, byte[]> change) {
      changes.add(change);
      sequences.add(sequence);
    }

    @Override
    public void entry(Change.Put<String, byte[]> put, long version, long stamp) {
      throw new AssertionError("there is no base");
    }

    @Override
    public void progress(long bytesRead, long bytesTotal) {
      assertTrue(bytesRead <= bytesTotal);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyKindOfChangeAndValueComesBackInOrder(Durability durability) {
    List<Long> sequences = new ArrayList<>();
    byte[] large = new byte[1 << 20];
    new Random(1).nextBytes(large);
    List<byte[]> values = List.of(new byte[0], new byte[] {0, '\n', ',', (byte) 0xFF}, large);
    try (FileLog<String, byte[]> log = open(durability)) {
      assertEquals(0, log.replay(new RecordedReplay()).changes());
      for (byte[] value : values) {
        sequences.add(log.append(new Change.Put<>("\uD83D\uDE00\0\n", value)));
      }
      sequences.add(log.append(new Change.Touch<>("")));
      sequences.add(log.append(new Change.Remove<>("")));
    }
    RecordedReplay replayed = new RecordedReplay();
    try (FileLog<String, byte[]> log = open(durability)) {
      RecoveryReport report = log.replay(replayed);
      assertEquals(5, report.changes());
      assertTrue(report.closedCleanly());
      assertTrue(log.append(new Change.Remove<>("x")) > sequences.get(4));
    }
    assertEquals(sequences, replayed.sequences);
    for (int i = 0; i < values.size(); i++) {
      assertArrayEquals(
          values.get(i), ((Change.Put<String, byte[]>) replayed.changes.get(i)).value());
    }
    assertEquals(new Change.Touch<String, byte[]>(""), replayed.changes.get(3));
    assertEquals(new Change.Remove<String, byte[]>(""), replayed.changes.get(4));
  }

  @Test
  void openingAndClosingWithoutAChangeAddsNoFile() throws IOException {
    for (int i = 0; i < 3; i++) {
      try (FileLog<String, byte[]> log = open(Durability.PROCESS_DEATH)) {
        assertTrue(log.replay(new RecordedReplay()).closedCleanly());
      }
      assertEquals(
          List.of(segment().getFileName().toString(), "LOCK", "reserve.tmp", "ring"), names());
    }
  }

  /** The only segment. */
  private Path segment() throws IOException {
    List<Long> segments = new LogDirectory(new FileDisk(), folder()).segments();
    assertEquals(1, segments.size(), segments.toString());
    return new LogDirectory(new FileDisk(), folder()).segment(segments.get(0));
  }

  private List<String> names() throws IOException {
    try (var files = Files.list(folder())) {
      return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
    }
  }

  @ParameterizedTest
  @EnumSource
  void moreThanARingAndSegmentsFromManyThreadsComesBackInEachThreadsOrder(Durability durability)
      throws Exception {
    int threads = 4;
    int appends = 300;
    ExecutorService workers = Executors.newFixedThreadPool(threads);
    try (FileLog<String, byte[]> log = open(durability)) {
      log.replay(new RecordedReplay());
      List<CompletableFuture<Void>> writers = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        String key = "k" + t;
        writers.add(CompletableFuture.runAsync(() -> write(log, key, appends), workers));
      }
      for (CompletableFuture<Void> writer : writers) {
        writer.get(2, TimeUnit.MINUTES);
      }
    } finally {
      workers.shutdownNow();
    }
    RecordedReplay replayed = new RecordedReplay();
    try (FileLog<String, byte[]> log = open(durability)) {
      assertEquals((long) threads * appends, log.replay(replayed).changes());
    }
    Map<String, Integer> next = new TreeMap<>();
    for (Change<String, byte[]> change : replayed.changes) {
      byte[] value = ((Change.Put<String, byte[]>) change).value();
      int count = next.merge(change.key(), 1, Integer::sum) - 1;
      assertArrayEquals(value(count), value);
    }
  }

  private static void write(FileLog<String, byte[]> log, String key, int appends) {
    for (int i = 0; i < appends; i++) {
      long sequence = log.append(new Change.Put<>(key, value(i)));
      if (i % 50 == 0) {
        log.awaitDurable(sequence);
      }
    }
  }

  private static byte[] value(int count) {
    byte[] value = new byte[20_000];
    new Random(count).nextBytes(value);
    return value;
  }

  @Test
  void aFolderThatIsInUseIsRefusedAndFreeAfterClose() {
    FileLog<String, byte[]> second = open(Durability.PROCESS_DEATH);
    try (FileLog<String, byte[]> log = open(Durability.PROCESS_DEATH)) {
      log.replay(new RecordedReplay());
      assertEquals(Long.MAX_VALUE, log.durableSequence());
      LogException.Locked refused =
          assertThrows(LogException.Locked.class, () -> second.replay(new RecordedReplay()));
      assertTrue(refused.toString().contains(folder().getFileName() + " is in use"));
    }
    assertTrue(second.replay(new RecordedReplay()).closedCleanly());
    second.close();
  }

  @Test
  void aLogThatIsNotOpenedYetHoldsNothing() throws IOException {
    FileLog<String, byte[]> unused = open(Durability.POWER_CUT);
    assertFalse(Files.exists(folder()));
    unused.close();
    assertThrows(IllegalStateException.class, () -> unused.replay(new RecordedReplay()));
    assertFalse(Files.exists(folder()));
  }

  @Test
  void aPathThatIsNotAFolderIsRefused() throws IOException {
    Files.writeString(folder(), "a file");
    LogException.Failed refused =
        assertThrows(
            LogException.Failed.class,
            () -> open(Durability.POWER_CUT).replay(new RecordedReplay()));
    assertTrue(refused.toString().contains("is not a folder"), refused.toString());
  }

  @Test
  void anAppendOutsideTheLifeOfALogIsAnIllegalState() {
    FileLog<String, byte[]> log = open(Durability.PROCESS_DEATH);
    Change<String, byte[]> change = new Change.Remove<>("a");
    assertThrows(IllegalStateException.class, () -> log.append(change));
    log.replay(new RecordedReplay());
    assertThrows(IllegalStateException.class, () -> log.replay(new RecordedReplay()));
    log.close();
    log.close();
    assertThrows(IllegalStateException.class, () -> log.append(change));
  }

  @Test
  void anEntryBeyondTheMaximumIsRefusedAndOneUpToItIsTaken() {
    int maximum = 16 << 20;
    try (FileLog<String, byte[]> log =
        FileLog.at(folder(), Codec.utf8(), Codec.bytes()).maximumEntryBytes(maximum)) {
      log.replay(new RecordedReplay());
      IllegalArgumentException refused =
          assertThrows(
              IllegalArgumentException.class,
              () -> log.append(new Change.Put<>("k", new byte[maximum])));
      assertTrue(refused.toString().contains(String.valueOf(maximum)));
      log.append(new Change.Put<>("k", new byte[maximum - 1]));
    }
    try (FileLog<String, byte[]> log = open(Durability.PROCESS_DEATH)) {
      assertEquals(
          1, log.replay(new RecordedReplay()).changes(), "read with a smaller maximum, too");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, Integer.MAX_VALUE})
  void aMaximumOutsideItsBoundsIsRefused(int bytes) {
    var builder = FileLog.at(folder(), Codec.utf8(), Codec.utf8());
    assertThrows(IllegalArgumentException.class, () -> builder.maximumEntryBytes(bytes));
  }

  @Test
  void aChosenLengthOfTheLogIsWhatItsCompactionGoesBy() {
    LogSettings.Options options = LogSettings.Options.DEFAULT;
    assertEquals(96 << 20, options.settings().compaction().logBytesMax());
    LogSettings.Options longer =
        options
            .withLogBytesMax(1L << 40)
            .withDurability(Durability.POWER_CUT)
            .withEntryBytesMax(100)
            .withCompactionBytesPerSecond(1)
            .withRecoveryThreads(1);
    assertEquals(1L << 40, longer.settings().compaction().logBytesMax());
    assertEquals((2L << 40) / 3, longer.settings().compaction().dueBytes(0));
  }

  @ParameterizedTest
  @ValueSource(longs = {0, (32 << 20) - 1, (1L << 50) + 1, Long.MAX_VALUE})
  void aLengthOfTheLogOutsideItsBoundsIsRefused(long bytes) {
    FileLog<String, String> log = FileLog.at(folder(), Codec.utf8(), Codec.utf8());
    assertThrows(IllegalArgumentException.class, () -> log.maximumLogBytes(bytes));
  }

  @Test
  void anInterruptHarmsNothingAndIsKept() {
    Thread.currentThread().interrupt();
    try (FileLog<String, byte[]> log = open(Durability.POWER_CUT)) {
      log.replay(new RecordedReplay());
      long sequence = log.append(new Change.Put<>("a", new byte[1]));
      log.awaitDurable(sequence);
      assertTrue(log.durableSequence() >= sequence);
      CompletableFuture<Void> interruptsTheCompleter =
          log.whenDurable(log.append(new Change.Put<>("b", new byte[1])))
              .thenRun(() -> Thread.currentThread().interrupt());
      interruptsTheCompleter.join();
      log.awaitDurable(log.append(new Change.Put<>("c", new byte[1])));
    } finally {
      assertTrue(Thread.interrupted(), "the flag is kept");
    }
    try (FileLog<String, byte[]> log = open(Durability.POWER_CUT)) {
      assertEquals(3, log.replay(new RecordedReplay()).changes());
    }
  }

  @Test
  void aFileOfAnotherVersionIsRefused() throws IOException {
    try (FileLog<String, byte[]> log = open(Durability.PROCESS_DEATH)) {
      log.replay(new RecordedReplay());
    }
    Path segment = segment();
    byte[] bytes = Files.readAllBytes(segment);
    bytes[8] = 2;
    Files.write(segment, bytes);
    try (FileLog<String, byte[]> log = open(Durability.PROCESS_DEATH)) {
      LogException.Corrupt refused =
          assertThrows(LogException.Corrupt.class, () -> log.replay(new RecordedReplay()));
      assertTrue(refused.toString().contains("offset 8: expected version 1, found 2"));
    }
    assertArrayEquals(bytes, Files.readAllBytes(segment));
    assertFalse(names().contains("ring.tmp"));
  }
}
