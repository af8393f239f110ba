package io.pensieve.log;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.SimulatedLog.Event;
import java.io.IOException;
import java.io.InputStream;
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

  @Test
  void aClosedLogOfVersion1IsRead() throws IOException {
    SimulatedDisk disk =
        SimulatedDisk.of(Map.of(SimulatedLog.FOLDER.resolve(SEGMENT), golden("closed.log")));
    assertEquals(HISTORY, SimulatedLog.read(disk));
  }

  @Test
  void aRingOfVersion1IsRead() throws IOException {
    Path folder = SimulatedLog.FOLDER;
    SimulatedDisk disk =
        SimulatedDisk.of(
            Map.of(
                folder.resolve(SEGMENT), golden("killed.log"),
                folder.resolve("ring"), golden("killed.ring")));
    assertEquals(HISTORY, SimulatedLog.read(disk));
  }

  @Test
  void aHeaderAndAFrameAreWrittenByteForByteAsInVersion1() throws IOException {
    byte[] golden = golden("closed.log");
    Path file = Path.of("closed.log");
    Format.FileHeader header = Format.FileHeader.decode(golden, file, Format.SEGMENT);
    assertArrayEquals(Arrays.copyOf(golden, Format.FILE_HEADER_BYTES), header.encode());
    byte[] marker = Format.bareFrame(Format.CLOSE, 32, 160, 160, header.salt());
    int at = Format.FILE_HEADER_BYTES + 160;
    assertArrayEquals(Arrays.copyOfRange(golden, at, golden.length), marker);
  }
}
