package io.pensieve.server.http.json;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class PlainAsciiTest {
  private static final byte[] NEIGHBOURS = {' ', '!', '#', '[', ']', 'a', 0x7f};

  @Test
  void everyByteIsPlainOrNotWhereverItIsAndWhateverIsBesideIt() {
    for (int length = 1; length <= 19; length++) {
      for (byte neighbour : NEIGHBOURS) {
        byte[] bytes = new byte[length];
        for (int at = 0; at < length; at++) {
          for (int b = 0; b < 256; b++) {
            Arrays.fill(bytes, neighbour);
            bytes[at] = (byte) b;
            boolean isPlain = b >= 0x20 && b < 0x80 && b != '"' && b != '\\';
            assertEquals(
                isPlain ? length : at,
                PlainAscii.end(ByteBuffer.wrap(bytes), 0),
                b + " at " + at + " of " + length + " beside " + neighbour);
          }
        }
      }
    }
  }

  @Test
  void theFirstOfSeveralIsFoundFromAnyIndexOn() {
    byte[] bytes =
        "0123456789\"1\u00014567\\9012345".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    ByteBuffer within = ByteBuffer.wrap(bytes);
    for (int from = 0; from <= bytes.length; from++) {
      int expected = from <= 10 ? 10 : from <= 12 ? 12 : from <= 17 ? 17 : bytes.length;
      assertEquals(expected, PlainAscii.end(within, from), "from " + from);
    }
    assertEquals(5, PlainAscii.end(ByteBuffer.wrap(bytes, 0, 5), 0), "not beyond the limit");
  }
}
