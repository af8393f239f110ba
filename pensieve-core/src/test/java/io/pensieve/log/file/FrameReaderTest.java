package io.pensieve.log.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pensieve.log.Change;
import io.pensieve.testing.Seed;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A reader finds every frame, wherever it lies between other bytes and in its window. */
class FrameReaderTest {
  private static final long SALT = 42;
  private static final long FIRST = 8_000;
  private static final int BYTES = 4_000;
  private static final int WINDOW_BYTES = 128;
  private static final byte[] KEY = {'k'};
  private static final int ROUNDS = 200;

  private enum Between {
    ZEROS,
    NOISE,
    /** Words that name their own place, as frames do. */
    POSITIONS
  }

  private final Random random = Seed.random(FrameReaderTest.class);
  private final byte[] bytes = new byte[BYTES];
  private final List<Long> frames = new ArrayList<>(); // their positions

  @Test
  void everyFrameIsFoundWhateverIsBetween() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      for (Between between : Between.values()) {
        fill(between);
        assertEquals(frames, found(), between + ", round " + round);
      }
    }
  }

  @Test
  void theContentEndsBehindTheWordOfTheLastByteThatIsNotZero() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      Arrays.fill(bytes, (byte) 0);
      int last = -1;
      for (int some = random.nextInt(4); some > 0; some--) {
        int at = random.nextInt(BYTES);
        bytes[at] = 1;
        last = Math.max(last, at);
      }
      assertEquals(FIRST + Format.align(last + 1), reader().contentEnd());
    }
  }

  private void fill(Between between) {
    frames.clear();
    for (int at = 0; at < BYTES; at += Long.BYTES) {
      ByteBuffer.wrap(bytes).putLong(at, between == Between.NOISE ? random.nextLong() : 0);
      if (between == Between.POSITIONS) {
        ByteBuffer.wrap(bytes).putLong(at, Long.reverseBytes(FIRST + at - Format.POSITION_AT));
      }
    }
    int at = gap();
    byte[] value = value();
    while (at + frameBytes(value) <= BYTES) {
      long position = FIRST + at;
      Format.entry(bytes, at, KEY, value, Change.NEVER, position, FIRST, new Format.Checksum(SALT));
      frames.add(position);
      at += frameBytes(value) + gap();
      value = value();
    }
  }

  // Often none, often more than a window.
  private int gap() {
    return random.nextBoolean() ? 0 : Format.align(random.nextInt(3 * WINDOW_BYTES));
  }

  private byte[] value() {
    byte[] value = new byte[1 + random.nextInt(2 * WINDOW_BYTES)];
    Arrays.fill(value, (byte) 1);
    return value;
  }

  private static int frameBytes(byte[] value) {
    return Format.align((int) Format.frameLength(KEY, value, Change.NEVER));
  }

  private FrameReader reader() {
    return new FrameReader(
        (into, at) -> into.put(bytes, (int) at, into.remaining()),
        BYTES,
        FIRST,
        SALT,
        WINDOW_BYTES);
  }

  private List<Long> found() throws Exception {
    FrameReader reader = reader();
    List<Long> positions = new ArrayList<>();
    while (reader.seekFrame()) {
      positions.add(reader.position());
      assertTrue(reader.next());
    }
    assertEquals(reader.limit(), reader.position());
    assertFalse(reader.next());
    return positions;
  }
}
