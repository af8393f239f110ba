package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What was in the ring only is copied as frames, whatever holes are between them. */
class UnforcedFramesTest {
  private static final int CAPACITY = 1 << 20;
  private static final long SALT = 17;
  private static final Path FOLDER = Path.of("log");
  private static final Path COPY = FOLDER.resolve("copy");

  private final SimulatedDisk disk = new SimulatedDisk();
  private final LogDirectory directory = new LogDirectory(disk, FOLDER);

  /** A ring with one frame, behind a hole that begins here and wraps round where it is long. */
  private long ringWithAHole(long from, int holeBytes) throws IOException {
    long at = from + holeBytes;
    byte[] frame = Format.bareFrame(Format.PADDING, 32, at, 0, SALT);
    try (Disk.File ring = disk.create(directory.ring())) {
      FileHeader header = FileHeader.ring(0, SALT, CAPACITY, 1, true);
      ring.write(ByteBuffer.wrap(header.encode()), 0);
      ring.write(ByteBuffer.allocate(CAPACITY), FileHeader.BYTES);
      for (int i = 0; i < frame.length; i += Long.BYTES) { // it may wrap round
        long place = (at + i) % CAPACITY;
        ring.write(ByteBuffer.wrap(frame, i, Long.BYTES), FileHeader.BYTES + place);
      }
    }
    return at + frame.length;
  }

  @Test
  void aHoleOfAnyLengthBecomesPadding() throws IOException {
    for (int pieces = 0; pieces < 3; pieces++) {
      for (int more = -40; more <= 40; more += 8) {
        int hole = pieces * UnforcedFrames.COPY_BYTES + more;
        if (hole >= Format.FRAME_HEADER_BYTES) {
          copyIsOfWholeFrames(hole);
        }
      }
    }
  }

  private void copyIsOfWholeFrames(int holeBytes) throws IOException {
    long from = 3 * CAPACITY - 64; // wraps round soon
    long end = ringWithAHole(from, holeBytes);
    List<UnforcedFrames.Hole> holes = List.of(new UnforcedFrames.Hole(from, from + holeBytes));
    try (Disk.File copy = disk.create(COPY)) {
      new UnforcedFrames(from, end, holes).copy(directory, from, copy, 8);
      FrameReader reader =
          new FrameReader((into, at) -> copy.read(into, 8 + at), end - from, from, SALT);
      while (reader.position() < end) {
        assertTrue(reader.next(), "a hole of " + holeBytes + ", at " + (reader.position() - from));
        assertEquals(Format.PADDING, reader.kind());
      }
      assertEquals(end, reader.position());
    }
  }
}
