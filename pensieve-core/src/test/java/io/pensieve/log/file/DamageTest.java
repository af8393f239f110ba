package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.file.SimulatedLog.Event;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What is done about certain kinds of damage; {@link EveryBitTest} has all of them. */
class DamageTest {
  private static final Path RING = SimulatedLog.FOLDER.resolve("ring");

  private final List<Event> history = new ArrayList<>();

  private Map<Path, byte[]> killedLog(Durability durability) {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), durability);
    log.open();
    Random random = new Random(1);
    for (int i = 0; i < 14; i++) {
      String value = "v".repeat(random.nextInt(220));
      history.add(log.append(new Change.Put<>("k" + i, value)));
      if (i % 3 == 0) {
        log.step();
      }
    }
    log.disk.killProcess();
    return log.disk.contents();
  }

  private Map<Path, byte[]> closedLog() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.POWER_CUT);
    log.open();
    for (int i = 0; i < 6; i++) {
      history.add(log.append(new Change.Put<>("k" + i, "v")));
      log.step();
    }
    log.close();
    return log.disk.contents();
  }

  @Test
  void afterACleanCloseAnyFlippedBitOfAFrameIsRefused() {
    Map<Path, byte[]> files = closedLog();
    Path segment = new TreeSet<>(files.keySet()).first();
    byte[] bytes = files.getOrDefault(segment, new byte[0]);
    int frameBytes = Format.align(Format.FRAME_HEADER_BYTES + 3);
    int changed = Format.FRAME_HEADER_BYTES + 3;
    for (int frame = 0; frame < history.size(); frame++) {
      int at = FileHeader.BYTES + frame * frameBytes;
      for (int bit = at * 8; bit < (at + changed) * 8; bit++) {
        bytes[bit / 8] ^= (byte) (1 << (bit % 8));
        assertCorruptAt(files, segment, at);
        bytes[bit / 8] ^= (byte) (1 << (bit % 8));
      }
    }
  }

  private static void assertCorruptAt(Map<Path, byte[]> files, Path file, int offset) {
    SimulatedLog log = new SimulatedLog(SimulatedDisk.of(files), Durability.POWER_CUT);
    LogException.Corrupt refused = assertThrows(LogException.Corrupt.class, log::open);
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.startsWith(file + ": damaged at offset " + offset + ": "), message);
    Map<Path, byte[]> after = log.disk.contents();
    assertEquals(files.keySet(), after.keySet());
    files.forEach((name, bytes) -> assertArrayEquals(bytes, after.get(name)));
  }

  @Test
  void aTornTailIsKeptAsideAndNamedInTheReportAndInALineForTheOperator() {
    Map<Path, byte[]> files = closedLog();
    Path segment = new TreeSet<>(files.keySet()).first();
    byte[] whole = files.getOrDefault(segment, new byte[0]);
    // Without marker and with half of the last change: nothing knows that it was forced.
    int torn = whole.length - Format.FRAME_HEADER_BYTES - 20;
    files.put(segment, Arrays.copyOf(whole, torn));
    ByteBuffer.wrap(files.getOrDefault(RING, new byte[0])).putLong(FileHeader.RING_FORCED_AT, 0);
    SimulatedLog log = new SimulatedLog(SimulatedDisk.of(files), Durability.POWER_CUT);
    assertEquals(history.subList(0, 5), log.open());
    RecoveryReport.TornTail tail = log.report().tornTail().orElseThrow();
    assertEquals(segment, tail.file());
    assertEquals(torn, tail.offset() + tail.bytes());
    byte[] copy = log.disk.contents().get(tail.copy());
    assertArrayEquals(Arrays.copyOfRange(whole, (int) tail.offset(), torn), copy);
    assertEquals(
        List.of(
            "WARNING "
                + segment
                + ": a torn tail of "
                + tail.bytes()
                + " bytes was cut off at offset "
                + tail.offset()
                + " and kept as "
                + tail.copy()),
        log.operator.lines());
  }

  @Test
  void aMissingSegmentIsRefused() {
    Map<Path, byte[]> files = killedLog(Durability.PROCESS_DEATH);
    List<Path> segments =
        files.keySet().stream().filter(f -> f.toString().endsWith(".log")).toList();
    assertTrue(segments.size() > 1);
    Path newest = new TreeSet<>(segments).last();
    for (Path segment : segments) {
      Map<Path, byte[]> rest = new HashMap<>(files);
      rest.remove(segment);
      if (!segment.equals(newest)) {
        SimulatedLog log = new SimulatedLog(SimulatedDisk.of(rest), Durability.PROCESS_DEATH);
        assertThrows(LogException.Corrupt.class, log::open);
      }
    }
  }

  @Test
  void aWriterThatDiedInItsAppendCostsNobodyElseAFrame() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH);
    log.open();
    for (int i = 0; i < 3; i++) {
      history.add(log.append(new Change.Put<>("k" + i, "v")));
    }
    // As if the second writer had not come to its last store, the commit, and only half through.
    ByteBuffer memory = log.disk.memory(RING);
    int second = FileHeader.BYTES + (int) history.get(0).sequence();
    memory.putLong(second, 0);
    memory.put(second + Format.FRAME_HEADER_BYTES, (byte) 0);
    log.disk.killProcess();
    history.remove(1);
    assertEquals(history, log.open());
    log.disk.killProcess();
    assertEquals(history, log.open(), "the hole is filled");
  }

  @Test
  void aFlippedBitInWhereTheRingWasWrittenToCostsNobodyAFrame() throws IOException {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH);
    log.open();
    history.add(log.append(new Change.Put<>("a", "1")));
    log.step();
    Event unfinished = log.append(new Change.Put<>("b", "2"));
    history.add(log.append(new Change.Put<>("c", "3")));
    log.disk.memory(RING).putLong(FileHeader.BYTES + (int) unfinished.sequence() - 40, 0);
    log.disk.killProcess();
    Map<Path, byte[]> files = log.disk.contents();
    byte[] ring = files.getOrDefault(RING, new byte[0]);
    for (int bit = 8 * FileHeader.RING_WRITTEN_AT; bit < 8 * FileHeader.RING_FORCED_AT; bit++) {
      ring[bit / 8] ^= (byte) (1 << (bit % 8));
      assertEquals(history, SimulatedLog.read(SimulatedDisk.of(files)).onlyEvents(), "bit " + bit);
      ring[bit / 8] ^= (byte) (1 << (bit % 8));
    }
  }

  @Test
  void aCommittedFrameThatIsDamagedInTheRingIsRefused() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH);
    log.open();
    log.append(new Change.Put<>("a", "1"));
    log.append(new Change.Put<>("b", "2"));
    ByteBuffer memory = log.disk.memory(RING);
    memory.put(FileHeader.BYTES + Format.FRAME_HEADER_BYTES, (byte) 'x');
    log.disk.killProcess();
    assertThrows(LogException.Corrupt.class, log::open);
  }

  @Test
  void aHoleIsNotSteppedOverAfterAPowerCut() {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH);
    log.open();
    Event first = log.append(new Change.Put<>("a", "1"));
    log.append(new Change.Put<>("b", "2"));
    log.append(new Change.Put<>("c", "3"));
    log.disk.memory(RING).putLong(FileHeader.BYTES + (int) first.sequence(), 0);
    log.disk.killProcess();
    SimulatedDisk nextBoot = SimulatedDisk.of(log.disk.contents());
    nextBoot.cutPower(new Random(1));
    assertEquals(List.of(first), new SimulatedLog(nextBoot, Durability.PROCESS_DEATH).open());
  }

  /** A log with three changes in its ring, of which the second one's first words are changed. */
  private SimulatedDisk withoutTheSecond(Durability durability, long firstWord, long boot) {
    SimulatedDisk disk = new SimulatedDisk();
    disk.boot(boot);
    SimulatedLog log = new SimulatedLog(disk, durability);
    log.open();
    for (int i = 0; i < 3; i++) {
      history.add(log.append(new Change.Put<>("k" + i, "v")));
    }
    int second = FileHeader.BYTES + (int) history.get(0).sequence();
    log.disk.memory(RING).putLong(second, firstWord);
    log.disk.killProcess();
    return log.disk;
  }

  private List<Event> read(SimulatedDisk disk) throws IOException {
    return SimulatedLog.readTwice(disk).onlyEvents();
  }

  @Test
  void whatWasNotAcknowledgedMayBeLostFromTheRingInTheSameBoot() throws IOException {
    // As if the disk had been taken away, and its pages with it: all that was forced is there.
    SimulatedDisk gone = withoutTheSecond(Durability.POWER_CUT, 0, 1);
    assertEquals(history.subList(0, 1), read(gone), "a prefix, for the page may be lost");
    history.clear();
    SimulatedDisk torn = withoutTheSecond(Durability.POWER_CUT, Format.commitWord(40, 17), 1);
    assertEquals(history.subList(0, 1), read(torn));
  }

  @Test
  void aGapBeforeOtherFramesIsRefusedIfTheBootIsUnknown() throws IOException {
    SimulatedDisk disk = withoutTheSecond(Durability.PROCESS_DEATH, 0, 0);
    LogException.Corrupt refused = assertThrows(LogException.Corrupt.class, () -> read(disk));
    String message = String.valueOf(refused.getMessage());
    long gap = FileHeader.BYTES + history.get(0).sequence();
    assertTrue(message.startsWith(RING + ": damaged at offset " + gap + ": "), message);
    assertTrue(message.contains("not known"), message);

    history.clear();
    SimulatedDisk unacknowledged = withoutTheSecond(Durability.POWER_CUT, 0, 0);
    assertEquals(history.subList(0, 1), read(unacknowledged));
  }

  @Test
  void aRingThatEndsIsReadIfTheBootIsUnknown() throws IOException {
    SimulatedDisk disk = new SimulatedDisk();
    disk.boot(0);
    SimulatedLog log = new SimulatedLog(disk, Durability.PROCESS_DEATH);
    log.open();
    history.add(log.append(new Change.Put<>("a", "1")));
    history.add(log.append(new Change.Put<>("b", "2")));
    disk.killProcess();
    assertEquals(history, read(disk));
  }

  @Test
  void aLogThatWasNotClosedIsRefusedWithoutItsRing() throws IOException {
    for (int steps = 0; steps < 2; steps++) {
      SimulatedLog log = new SimulatedLog(new SimulatedDisk(), Durability.PROCESS_DEATH);
      log.open();
      log.append(new Change.Put<>("a", "1"));
      if (steps > 0) {
        log.step(); // else it is in the ring only
      }
      log.disk.killProcess();
      Map<Path, byte[]> files = log.disk.contents();
      files.remove(RING);
      assertCorruptAt(files, RING, 0);
      assertTrue(
          OfflineLog.salvage(
                  SimulatedDisk.of(files), SimulatedLog.FOLDER, new SimulatedDisk(), RING)
              .losesSomething());
    }
  }

  @Test
  void aLogThatWasNotClosedIsRefusedWithTheRingOfAnother() {
    Map<Path, byte[]> files = killedLog(Durability.PROCESS_DEATH);
    files.putAll(Map.of(RING, killedLog(Durability.PROCESS_DEATH).getOrDefault(RING, new byte[0])));
    assertCorruptAt(files, RING, 0);
  }

  @Test
  void aLogThatWasClosedNeedsNoRing() throws IOException {
    Map<Path, byte[]> files = closedLog();
    files.remove(RING);
    assertEquals(history, read(SimulatedDisk.of(files)));
  }
}
