package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Durability;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.LogException;
import io.pensieve.log.file.SimulatedLog.Event;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What can be read of a damaged log is salvaged, and what cannot is told. */
@Tag(Depth.TAG)
class SalvageTest {
  private static final Path FOLDER = SimulatedLog.FOLDER;
  private static final Path INTO = Path.of("salvaged");

  static LongStream seeds() {
    return Seed.first(Depth.of(1, 4, 40));
  }

  private enum End {
    KILLED,
    CLOSED
  }

  /** A log with a base, if it is to have one, and several segments; the files it leaves. */
  private static Map<Path, byte[]> log(long seed, boolean compacted, End end) {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH);
    log.open();
    Random random = new Random(seed);
    for (int i = 0; i < 40; i++) {
      if (compacted && i == 20) {
        log.compact();
      }
      String key = "k" + random.nextInt(9);
      switch (random.nextInt(7)) {
        case 0 -> log.append(new Change.Remove<>(key));
        case 1 -> log.append(new Change.Touch<>(key));
        case 2 -> log.append(new Change.Put<>(key, "x".repeat(random.nextInt(300)), i));
        case 3 -> log.appendAtomically(SimulatedLog.group(random, i));
        default -> log.append(new Change.Put<>(key, "v" + "x".repeat(random.nextInt(200))));
      }
      if (random.nextInt(3) == 0 && i < 35) {
        log.step();
      }
    }
    if (end == End.CLOSED) {
      log.close();
    } else {
      log.disk.killProcess();
    }
    Map<Path, byte[]> files = new TreeMap<>(log.disk.contents());
    files.remove(FOLDER.resolve("LOCK"));
    return files;
  }

  private static SalvageReport salvage(SimulatedDisk disk) throws IOException {
    return OfflineLog.salvage(disk, FOLDER, disk, INTO);
  }

  private static Replayed original(Map<Path, byte[]> files) throws IOException {
    return SimulatedLog.read(SimulatedDisk.of(files), FOLDER);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void ofASoundLogAllIsSalvagedWithItsVersionsAndOrder(long seed) throws IOException {
    for (End end : End.values()) {
      for (boolean compacted : new boolean[] {false, true}) {
        Map<Path, byte[]> files = log(seed, compacted, end);
        SimulatedDisk disk = SimulatedDisk.of(files);
        SalvageReport salvageReport = salvage(disk);
        assertFalse(salvageReport.losesSomething());
        Replayed replayed = SimulatedLog.read(disk, INTO);
        assertEquals(original(files).fold().coldestFirst(), replayed.fold().coldestFirst());
        assertEquals(original(files).events(), replayed.events());
        assertTrue(salvageReport.contents().closedCleanly());
        files.forEach((file, bytes) -> assertArrayEquals(bytes, disk.contents().get(file)));
      }
    }
  }

  /** Where in which file what was written: by position and last sequence, or version in a base. */
  private record FrameLocation(
      Path file, int from, int to, boolean isEntry, long position, long sequence) {
    boolean holds(long change) {
      return change > position && change <= sequence;
    }

    boolean overlaps(Path damaged, int start, int end) {
      return file.equals(damaged) && from < end && to > start;
    }
  }

  private static Set<FrameLocation> places(Map<Path, byte[]> files) {
    Set<FrameLocation> places = new HashSet<>();
    files.forEach(
        (file, bytes) -> {
          for (int at = FileHeader.BYTES; at < bytes.length; at += 8) {
            int length = Format.length(bytes, at);
            boolean isFrame =
                bytes.length - at >= Format.FRAME_HEADER_BYTES
                    && Format.lengthIsPossible(length, 1 << 20)
                    && Format.position(bytes, at) >= 0
                    && Format.isUnderstood(bytes, at, Format.OF_SEGMENT | Format.OF_BASE);
            if (isFrame) {
              boolean isEntry = Format.kind(bytes, at) == Format.ENTRY;
              long sequence =
                  isEntry
                      ? Format.version(bytes, at)
                      : Format.position(bytes, at) + Format.align(length);
              long position = Format.position(bytes, at);
              places.add(
                  new FrameLocation(
                      file, at, at + Format.align(length), isEntry, position, sequence));
              at += Format.align(length) - 8;
            }
          }
        });
    return places;
  }

  /** What must be there at least, when these bytes are not. */
  private static Map<String, LiveEntry<String, String>> expected(
      Replayed original, Set<FrameLocation> places, Path file, int from, int to) {
    Set<Long> lostEntries = new HashSet<>();
    Set<FrameLocation> lostFrames = new HashSet<>();
    for (FrameLocation frameLocation : places) {
      if (frameLocation.overlaps(file, from, to) && frameLocation.isEntry()) {
        lostEntries.add(frameLocation.sequence());
      } else if (frameLocation.overlaps(file, from, to)) {
        lostFrames.add(frameLocation);
      }
    }
    LiveModel map = new LiveModel();
    original.entries().stream()
        .filter(entry -> !lostEntries.contains(entry.version()))
        .forEach(map::save);
    original.events().stream()
        .filter(event -> lostFrames.stream().noneMatch(lost -> lost.holds(event.sequence())))
        .forEach(map::apply);
    return byKey(map.coldestFirst());
  }

  private static Map<String, LiveEntry<String, String>> byKey(
      List<LiveEntry<String, String>> entries) {
    Map<String, LiveEntry<String, String>> byKey = new TreeMap<>();
    entries.forEach(entry -> byKey.put(entry.put().key(), entry));
    return byKey;
  }

  private final int[] verdicts = new int[2]; // without and with a loss

  private void assertSalvages(
      SimulatedDisk disk,
      Replayed original,
      Map<String, LiveEntry<String, String>> least,
      Path damaged,
      String context)
      throws IOException {
    SalvageReport salvageReport = salvage(disk);
    Map<String, LiveEntry<String, String>> salvaged =
        byKey(SimulatedLog.read(disk, INTO).fold().coldestFirst());
    Map<String, LiveEntry<String, String>> all = byKey(original.fold().coldestFirst());
    verdicts[salvageReport.losesSomething() ? 1 : 0]++;
    if (salvageReport.losesSomething()) {
      Map<String, LiveEntry<String, String>> expected = new TreeMap<>(least);
      if (String.valueOf(damaged).endsWith(LogDirectory.BASE_SUFFIX)) {
        // The oldest segment may have what an entry of the base was saved from.
        all.entrySet().stream()
            .filter(one -> one.getValue().equals(salvaged.get(one.getKey())))
            .forEach(one -> expected.putIfAbsent(one.getKey(), one.getValue()));
      }
      assertTrue(
          salvaged.equals(expected) || salvaged.equals(all),
          () -> context + ": " + salvaged + ", not " + expected + ": " + salvageReport.damages());
    } else if (!salvaged.equals(all)) {
      // The end cannot be told from a torn one: then it is what opening the log gives.
      Map<String, LiveEntry<String, String>> opened =
          byKey(SimulatedLog.read(disk, FOLDER).fold().coldestFirst());
      assertEquals(opened, salvaged, context);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, false, KILLED", "2, true, KILLED", "3, true, CLOSED"})
  void whateverIsDamagedAllElseIsSalvaged(long seed, boolean compacted, End end)
      throws IOException {
    Map<Path, byte[]> files = log(seed, compacted, end);
    Replayed original = original(files);
    Set<FrameLocation> places = places(files);
    for (int length : new int[] {1, 48, 700}) {
      int step = (length == 1 ? 8 : 40) * Depth.of(5, 1, 1);
      for (Path file : files.keySet()) {
        int size = files.getOrDefault(file, new byte[0]).length;
        for (int from = 0; from < size; from += from >= 64 && from < 4096 ? 4032 : step) {
          int to = Math.min(size, from + length);
          Map<Path, byte[]> damaged = damaged(files, file, from, to);
          Map<String, LiveEntry<String, String>> least = expected(original, places, file, from, to);
          String context = file + " from " + from + " to " + to;
          assertSalvages(SimulatedDisk.of(damaged), original, least, file, context);
        }
      }
    }
    assertTrue(verdicts[0] > 50 && verdicts[1] > 50, Arrays.toString(verdicts));
  }

  private static Map<Path, byte[]> damaged(Map<Path, byte[]> files, Path file, int from, int to) {
    Map<Path, byte[]> damaged = new HashMap<>(files);
    byte[] bytes = files.getOrDefault(file, new byte[0]).clone();
    for (int at = from; at < to; at++) {
      bytes[at] ^= 0x5A;
    }
    damaged.put(file, bytes);
    return damaged;
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void whateverFileIsMissingOrCutAllElseIsSalvaged(long seed) throws IOException {
    for (End end : End.values()) {
      Map<Path, byte[]> files = log(seed, true, end);
      Replayed original = original(files);
      Set<FrameLocation> places = places(files);
      for (Path file : files.keySet()) {
        byte[] bytes = files.getOrDefault(file, new byte[0]);
        Map<Path, byte[]> rest = new HashMap<>(files);
        rest.remove(file);
        assertSalvages(
            SimulatedDisk.of(rest),
            original,
            expected(original, places, file, 0, bytes.length),
            file,
            "without " + file);
        for (int length = 0; length < bytes.length; length += length < 4096 ? 512 : 40) {
          Map<Path, byte[]> cut = new HashMap<>(files);
          cut.put(file, Arrays.copyOf(bytes, length));
          // Without its header a file is read as far as the others tell its salt.
          int from = length < FileHeader.BYTES ? 0 : length;
          assertSalvages(
              SimulatedDisk.of(cut),
              original,
              expected(original, places, file, from, bytes.length),
              file,
              file + " cut to " + length);
        }
      }
    }
  }

  @Test
  void aHeaderThatIsLostAltogetherLosesNothing() throws IOException {
    Map<Path, byte[]> files = log(5, true, End.KILLED);
    for (Path file : files.keySet()) {
      Map<Path, byte[]> headless = new HashMap<>(files);
      byte[] bytes = files.getOrDefault(file, new byte[0]).clone();
      if (bytes.length == 0 || file.endsWith("reserve.tmp")) {
        continue; // the next segment's, and the reserve for the next opening, have no header
      }
      Arrays.fill(bytes, 0, FileHeader.BYTES, (byte) 0);
      headless.put(file, bytes);
      SimulatedDisk disk = SimulatedDisk.of(headless);
      assertThrows(LogException.Corrupt.class, () -> SimulatedLog.read(disk, FOLDER));
      SalvageReport salvageReport = salvage(disk);
      assertFalse(salvageReport.losesSomething(), salvageReport.damages().toString());
      assertEquals(
          original(files).fold().coldestFirst(),
          SimulatedLog.read(disk, INTO).fold().coldestFirst(),
          file.toString());
    }
  }

  @Test
  void whatTheDiskDoesNotGiveIsSkipped() throws IOException {
    Map<Path, byte[]> files = log(6, false, End.KILLED);
    Replayed original = original(files);
    Set<FrameLocation> places = places(files);
    Path first = new TreeMap<>(files).firstKey();
    int size = files.getOrDefault(first, new byte[0]).length;
    for (int from = 0; from < size; from += 40) {
      SimulatedDisk disk = SimulatedDisk.of(files);
      disk.spoil(first, from, from + 1);
      SalvageReport salvageReport = salvage(disk);
      // The disk gives no page of which it cannot give all.
      int page = from / 4096 * 4096;
      assertEquals(from >= 4096, salvageReport.losesSomething());
      assertEquals(
          expected(original, places, first, page, page + 4096),
          byKey(SimulatedLog.read(disk, INTO).fold().coldestFirst()));
    }
  }

  @Test
  void whatWasLostIsNamedByFileOffsetBytesAndPositions() throws IOException {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);
    log.open();
    for (int i = 0; i < 5; i++) {
      log.append(new Change.Put<>("k" + i, "v"));
      log.step();
    }
    log.close();
    Map<Path, byte[]> files = log.disk.contents();
    Path segment = FOLDER.resolve("0000000000000000.log");
    SimulatedDisk disk = SimulatedDisk.of(damaged(files, segment, 4096 + 45, 4096 + 46));
    SalvageReport.Damage damage = salvage(disk).damages().get(0);
    assertEquals(segment, damage.file());
    assertEquals(4096 + 40, damage.offset());
    assertEquals(40, damage.bytes());
    assertTrue(damage.losesSomething());
    assertTrue(damage.meaning().startsWith("changes at positions 40 to 80;"), damage.meaning());
  }

  @Test
  void theSalvagedLogGoesOnBeyondEveryPositionOfTheOldOne() throws IOException {
    Map<Path, byte[]> files = log(7, true, End.KILLED);
    long last = original(files).events().stream().mapToLong(Event::sequence).max().orElse(0);
    Path newest =
        files.keySet().stream()
            .filter(f -> f.toString().endsWith(".log"))
            .reduce((a, b) -> b)
            .orElseThrow();
    Map<Path, byte[]> rest = new HashMap<>(files);
    rest.remove(newest);
    rest.remove(FOLDER.resolve("ring"));
    SimulatedDisk disk = SimulatedDisk.of(rest);
    assertTrue(salvage(disk).contents().end() >= last + SequenceOrigin.POSITIONS_SKIPPED);
  }

  @Test
  void aFaultWhileSalvagingLeavesNothingAndTheOldLogAsItWas() throws IOException {
    Map<Path, byte[]> files = log(8, true, End.KILLED);
    Path base =
        files.keySet().stream().filter(f -> f.toString().endsWith(".base")).findAny().orElseThrow();
    Map<Path, byte[]> damaged = damaged(files, base, 4100, 4110);
    SimulatedDisk whole = SimulatedDisk.of(damaged);
    assertTrue(salvage(whole).losesSomething());
    for (int fault = 0; fault < whole.operations(); fault++) {
      SimulatedDisk from = SimulatedDisk.of(damaged);
      SimulatedDisk to = new SimulatedDisk();
      to.failAfter(fault, false);
      try {
        assertTrue(OfflineLog.salvage(from, FOLDER, to, INTO).losesSomething());
      } catch (IOException failed) {
        to.heal();
        boolean isWhole = !to.list(INTO).isEmpty();
        if (isWhole) {
          SimulatedLog.read(to, INTO); // only reading it again had failed
        }
      }
      damaged.forEach((file, bytes) -> assertArrayEquals(bytes, from.contents().get(file)));
    }
  }

  @Test
  void aFolderThatIsNotEmptyIsRefused() throws IOException {
    SimulatedDisk disk = SimulatedDisk.of(log(9, false, End.KILLED));
    disk.createFolder(INTO.toAbsolutePath());
    disk.create(INTO.resolve("kept")).write(ByteBuffer.wrap(new byte[3]), 0);
    assertThrows(IllegalArgumentException.class, () -> salvage(disk));
    assertEquals(List.of("kept"), disk.list(INTO));
  }
}
