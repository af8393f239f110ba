package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.log.file.SimulatedLog.Event;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** No byte that was ever released becomes unreadable: what version 1 wrote is read for ever. */
class GoldenFilesTest {
  private static final String SEGMENT = "0000000000000000.log";

  private static byte[] golden(String name) throws IOException {
    try (InputStream bytes = GoldenFilesTest.class.getResourceAsStream("/golden/v1/" + name)) {
      assertTrue(bytes != null, name);
      return bytes.readAllBytes();
    }
  }

  private static final List<Event> HISTORY =
      List.of(
          new Event(40, new Change.Put<>("foo", "bar")),
          new Event(80, new Change.Put<>("empty", "")),
          new Event(120, new Change.Touch<>("foo-\uD83D\uDE00")),
          new Event(160, new Change.Remove<>("foo")));

  private static final Change.Put<String, String> FOO_EXPIRES =
      new Change.Put<>("foo", "bar", 1_700_000_000_000L);
  private static final Change.Put<String, String> EMPTY_EXPIRES = new Change.Put<>("empty", "", 0);

  @Test
  void aClosedLogOfVersion1IsRead() throws IOException {
    SimulatedDisk disk =
        SimulatedDisk.of(Map.of(SimulatedLog.FOLDER.resolve(SEGMENT), golden("closed.log")));
    assertEquals(HISTORY, SimulatedLog.read(disk, Codec.utf8()).onlyEvents());
  }

  @Test
  void aRingOfVersion1IsRead() throws IOException {
    Path folder = SimulatedLog.FOLDER;
    SimulatedDisk disk =
        SimulatedDisk.of(
            Map.of(
                folder.resolve(SEGMENT), golden("killed.log"),
                folder.resolve("ring"), golden("killed.ring")));
    assertEquals(HISTORY, SimulatedLog.read(disk, Codec.utf8()).onlyEvents());
  }

  @Test
  void aHeaderAndAFrameAreWrittenByteForByteAsInVersion1() throws IOException {
    byte[] golden = golden("closed.log");
    Path file = Path.of("closed.log");
    FileHeader header = FileHeader.decode(golden, file, FileHeader.SEGMENT);
    assertArrayEquals(Arrays.copyOf(golden, FileHeader.BYTES), header.encode());
    byte[] marker = Format.bareFrame(Format.CLOSE, 32, 160, 160, header.salt());
    int at = FileHeader.BYTES + 160;
    assertArrayEquals(Arrays.copyOfRange(golden, at, golden.length), marker);
  }

  @Test
  void aBaseOfVersion1IsReadAndWrittenByteForByte() throws IOException {
    byte[] golden = golden("compacted.base");
    SimulatedDisk disk = new SimulatedDisk();
    LogDirectory directory = new LogDirectory(disk, SimulatedLog.FOLDER);
    BaseWriter writer = BaseWriter.create(directory, 160, 0x5a17);
    writer.add(bytes("empty"), bytes(""), Change.NEVER, 80);
    writer.add(bytes("foo"), bytes("bar"), Change.NEVER, 40);
    writer.finish(160);
    writer.rename();
    writer.close();
    Path base = directory.base(160);
    assertArrayEquals(golden, disk.contents().get(base));

    Path segment = SimulatedLog.FOLDER.resolve(SEGMENT);
    Replayed replayed =
        SimulatedLog.read(
            SimulatedDisk.of(Map.of(base, golden, segment, golden("closed.log"))), Codec.utf8());
    assertEquals(List.of(), replayed.events());
    assertEquals(
        List.of(
            new LiveEntry<>(new Change.Put<>("empty", ""), 80),
            new LiveEntry<>(new Change.Put<>("foo", "bar"), 40)),
        replayed.fold().coldestFirst());
  }

  @Test
  void whenAnEntryExpiresIsRead() throws IOException {
    Path segment = SimulatedLog.FOLDER.resolve(SEGMENT);
    Replayed replayed =
        SimulatedLog.read(SimulatedDisk.of(Map.of(segment, golden("expiring.log"))), Codec.utf8());
    assertEquals(
        List.of(new Event(48, FOO_EXPIRES), new Event(96, EMPTY_EXPIRES)), replayed.events());
  }

  @Test
  void whenAnEntryOfABaseExpiresIsReadAndWrittenByteForByte() throws IOException {
    byte[] golden = golden("expiring.base");
    SimulatedDisk disk = new SimulatedDisk();
    LogDirectory directory = new LogDirectory(disk, SimulatedLog.FOLDER);
    BaseWriter writer = BaseWriter.create(directory, 96, 0x5a17);
    writer.add(bytes("empty"), bytes(""), EMPTY_EXPIRES.expiryMillis(), 96);
    writer.add(bytes("foo"), bytes("bar"), FOO_EXPIRES.expiryMillis(), 48);
    writer.finish(96);
    writer.rename();
    writer.close();
    Path base = directory.base(96);
    assertArrayEquals(golden, disk.contents().get(base));

    Path segment = SimulatedLog.FOLDER.resolve(SEGMENT);
    Replayed replayed =
        SimulatedLog.read(
            SimulatedDisk.of(Map.of(base, golden, segment, golden("expiring.log"))), Codec.utf8());
    assertEquals(
        List.of(new LiveEntry<>(EMPTY_EXPIRES, 96), new LiveEntry<>(FOO_EXPIRES, 48)),
        replayed.fold().coldestFirst());
  }

  private static final List<Change<String, String>> GROUP =
      List.of(FOO_EXPIRES, new Change.Remove<>("gone"), new Change.Put<>("foo-\uD83D\uDE00", ""));

  @Test
  void aGroupOfChangesIsReadAndWrittenByteForByte() throws IOException {
    byte[] golden = golden("group.log");
    Path segment = SimulatedLog.FOLDER.resolve(SEGMENT);
    Replayed replayed = SimulatedLog.read(SimulatedDisk.of(Map.of(segment, golden)), Codec.utf8());
    assertEquals(
        List.of(
            new Event(64, GROUP.get(0)),
            new Event(88, GROUP.get(1)),
            new Event(112, GROUP.get(2)),
            new Event(152, HISTORY.get(0).change())),
        replayed.onlyEvents());

    int capacity = 256;
    // Outside the heap, as the ring's mapped file is: a JDK may refuse atomic access to an array.
    ByteBuffer memory = ByteBuffer.allocateDirect(FileHeader.BYTES + capacity);
    RingBuffer ring = new RingBuffer(memory, capacity, 0, 0x5a17);
    BatchFrame batch = BatchFrame.of(GROUP, Codec.utf8(), Codec.utf8(), capacity);
    ring.write(0, 0, FrameEncoder.of(batch));
    ring.write(112, 112, FrameEncoder.of(HISTORY.get(0).change(), Codec.utf8(), Codec.utf8()));
    byte[] written = new byte[152];
    memory.get(FileHeader.BYTES, written);
    assertArrayEquals(
        Arrays.copyOfRange(golden, FileHeader.BYTES, FileHeader.BYTES + 152), written);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
