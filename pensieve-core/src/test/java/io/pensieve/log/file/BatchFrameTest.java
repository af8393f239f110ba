package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Durability;
import io.pensieve.log.LogException;
import io.pensieve.log.file.SimulatedLog.Event;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Changes that are appended together. That crashes take all or none is CrashTest's. */
class BatchFrameTest {
  private static final Path SEGMENT = SimulatedLog.FOLDER.resolve("0000000000000000.log");
  private static final int FRAME = FileHeader.BYTES;
  private static final int FIRST = FRAME + Format.FRAME_HEADER_BYTES;

  private static final List<Change<String, String>> CHANGES =
      List.of(
          new Change.Put<>("a", "1"),
          new Change.Remove<>("b"),
          new Change.Put<>("c", "three", 1_700_000_000_000L),
          new Change.Put<>("", ""));

  private static SimulatedLog opened(Durability durability) {
    SimulatedLog log = new SimulatedLog(new SimulatedDisk(), durability);
    log.open();
    return log;
  }

  @ParameterizedTest
  @EnumSource
  void changesAppendedTogetherAreToldOneByOneWithTheirSequences(Durability durability) {
    SimulatedLog log = opened(durability);
    Event before = log.append(new Change.Put<>("k", "v"));
    List<Event> together = log.appendAtomically(CHANGES);
    Event behind = log.append(new Change.Remove<>("k"));
    List<Event> expected = new ArrayList<>(together);
    expected.add(0, before);
    expected.add(behind);
    log.close();
    assertEquals(expected, log.open());
    assertEquals(6, log.report().changes());
  }

  @Test
  void eachChangeEndsAtAPlaceOfItsOwnTheLastOneWithItsFrame() {
    SimulatedLog log = opened(Durability.PROCESS_DEATH);
    long[] sequences = log.log().appendAtomically(CHANGES);
    assertArrayEquals(new long[] {32 + 24, 32 + 24 + 24, 32 + 48 + 32, 32 + 80 + 16}, sequences);
    assertEquals(sequences[3] + 40, log.log().append(new Change.Remove<>("x")));
  }

  @Test
  void allAreAcknowledgedWhenTheLastOneIs() {
    SimulatedLog log = opened(Durability.POWER_CUT);
    List<Event> together = log.appendAtomically(CHANGES);
    CompletableFuture<Void> last = log.log().whenDurable(together.get(3).sequence());
    assertFalse(last.isDone());
    assertTrue(log.log().durableSequence() < together.get(0).sequence(), "not even the first");
    log.step();
    assertTrue(last.isDone());
  }

  @Test
  void oneChangeAloneMayBeAppendedTogether() {
    SimulatedLog log = opened(Durability.PROCESS_DEATH);
    List<Event> alone = log.appendAtomically(List.of(new Change.Remove<>("a")));
    log.disk.killProcess();
    assertEquals(alone, log.open());
  }

  @Test
  void noChangesAndTouchesAreRefused() {
    SimulatedLog log = opened(Durability.PROCESS_DEATH);
    assertThrows(IllegalArgumentException.class, () -> log.log().appendAtomically(List.of()));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            log.log().appendAtomically(List.of(new Change.Remove<>("a"), new Change.Touch<>("b"))));
    log.close();
    assertEquals(List.of(), log.open());
  }

  @Test
  void changesThatAreTooLargeTogetherAreRefusedAndThoseThatJustFitAreTaken() {
    SimulatedLog log = opened(Durability.PROCESS_DEATH);
    int maximum = SimulatedLog.RING_BYTES / 2;
    int overhead = 2 * Format.CHANGE_HEADER_BYTES;
    String half = "x".repeat((maximum - overhead) / 2 - 1);
    Change<String, String> first = new Change.Put<>("a", half);
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> log.log().appendAtomically(List.of(first, new Change.Put<>("b", half + "x"))));
    assertTrue(refused.toString().contains("maximum of " + maximum), refused.toString());
    List<Event> taken = log.appendAtomically(List.of(first, new Change.Put<>("b", half)));
    log.disk.killProcess();
    assertEquals(taken, log.open());
  }

  @Test
  void aGroupWithAPutIsRefusedOnAFullDiskAndOneOfRemovalsIsTaken() {
    SimulatedLog log = opened(Durability.PROCESS_DEATH);
    log.disk.usableBytes(1000);
    log.step();
    log.step();
    assertThrows(LogException.Full.class, () -> log.log().appendAtomically(CHANGES));
    List<Event> removals =
        log.appendAtomically(List.of(new Change.Remove<>("a"), new Change.Remove<>("b")));
    log.disk.killProcess();
    log.disk.usableBytes(1 << 20);
    assertEquals(removals, log.open());
  }

  private static Replayed read(byte[] segment) throws IOException {
    return SimulatedLog.readTwice(SimulatedDisk.of(Map.of(SEGMENT, segment)));
  }

  private static byte[] segmentWithAGroup() {
    SimulatedLog log = opened(Durability.PROCESS_DEATH);
    log.appendAtomically(CHANGES);
    log.close();
    return log.disk.contents().getOrDefault(SEGMENT, new byte[0]);
  }

  /** What no checksum finds, because it was written so. */
  private static byte[] written(int at, long word) {
    byte[] bytes = segmentWithAGroup();
    ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    words.putLong(at, word);
    Format.reseal(bytes, FRAME, new Format.Checksum(FileHeader.salt(bytes)));
    return bytes;
  }

  private static void assertRefused(byte[] segment) {
    LogException.Corrupt refused = assertThrows(LogException.Corrupt.class, () -> read(segment));
    assertTrue(refused.toString().contains("kind " + Format.GROUP), refused.toString());
  }

  @Test
  void aGroupThatWasNotWrittenByThisVersionIsRefused() throws IOException {
    assertEquals(4, read(segmentWithAGroup()).events().size());
    int kindWord = FRAME + Format.KIND_WORD_AT;
    assertRefused(written(kindWord, Format.kindWord(Format.GROUP, 3, Change.NEVER)));
    assertRefused(written(kindWord, Format.kindWord(Format.GROUP, 5, Change.NEVER)));
    assertRefused(written(kindWord, Format.kindWord(Format.GROUP, -1, Change.NEVER)));
    assertRefused(written(kindWord, Format.kindWord(Format.GROUP, 4, 0)));
    assertRefused(written(FIRST, 15));
    assertRefused(written(FIRST, -1));
    assertRefused(written(FIRST, 1 << 20));
    assertRefused(written(FIRST, 18 + (1L << 32)));
    assertRefused(written(FIRST + 8, Format.kindWord(Format.TOUCH, 1, Change.NEVER)));
    assertRefused(written(FIRST + 8, Format.kindWord(Format.GROUP, 1, Change.NEVER)));
    assertRefused(written(FIRST + 8, Format.kindWord(Format.PUT, 3, Change.NEVER)));
    assertRefused(written(FIRST + 8, Format.kindWord(Format.PUT, 1, 0)));
    assertRefused(written(FIRST + 8, Format.kindWord(Format.REMOVE, 1, 0)));
  }

  @Test
  void aGroupIsNoEntryOfABase() throws IOException {
    SimulatedLog log = opened(Durability.PROCESS_DEATH);
    log.append(new Change.Put<>("a", "1"));
    log.compact();
    log.close();
    Path base = SimulatedLog.FOLDER.resolve("0000000000000028.base");
    Map<Path, byte[]> files = log.disk.contents();
    byte[] bytes = files.getOrDefault(base, new byte[0]);
    byte[] group = segmentWithAGroup();
    byte[] spliced = Arrays.copyOf(bytes, bytes.length + 128 - 40);
    System.arraycopy(group, FRAME, spliced, FRAME, 128);
    System.arraycopy(bytes, FRAME + 40, spliced, FRAME + 128, Format.FOOTER_BYTES);
    Format.reseal(spliced, FRAME, new Format.Checksum(FileHeader.salt(bytes)));
    files.put(base, spliced);
    LogException.Corrupt refused =
        assertThrows(
            LogException.Corrupt.class, () -> SimulatedLog.readTwice(SimulatedDisk.of(files)));
    assertTrue(refused.toString().contains("kind " + Format.GROUP), refused.toString());
  }
}
