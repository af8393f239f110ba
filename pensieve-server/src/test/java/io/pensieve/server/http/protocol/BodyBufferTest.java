package io.pensieve.server.http.protocol;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonPrimitive;
import io.pensieve.testing.Seed;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/**
 * What comes in pieces of any size is read as it came, and what is claimed for it is what it has.
 */
final class BodyBufferTest {
  private static final long SEED = Seed.choose();
  private static final int BYTES_MAX = 300_000;

  private final Random random = new Random(SEED);

  @RepeatedTest(50)
  void whatComesInPiecesIsReadInPieces() {
    byte[] sent = new byte[random.nextInt(BYTES_MAX)];
    random.nextBytes(sent);
    int expected = random.nextBoolean() ? sent.length : BYTES_MAX;
    BodyBuffer body = new BodyBuffer();
    for (int at = 0; at < sent.length; ) {
      int count = Math.min(sent.length - at, 1 + random.nextInt(1 << random.nextInt(17)));
      int capacity = body.capacity() + body.growthFor(count, expected);
      body.add(ByteBuffer.wrap(sent, at, count), expected);
      at += count;
      assertEquals(capacity, body.capacity(), told());
      assertTrue(capacity >= at && capacity <= Math.max(expected, at), told());
      assertEquals(at, body.size(), told());
    }
    assertArrayEquals(sent, read(body.asInput(), sent.length), told());
  }

  private byte[] read(ByteArrayInputStream input, int length) {
    byte[] read = new byte[length];
    int at = 0;
    while (at < length) {
      assertEquals(length - at, input.available(), told());
      int count = input.read(read, at, Math.min(length - at, 1 + random.nextInt(100_000)));
      assertTrue(count > 0, told());
      at += count;
    }
    assertEquals(-1, input.read());
    return read;
  }

  @Test
  void theLongestStringIsThatOfItsText() {
    String text = "a\"\\/\b\u00e9\u20ac\ud83d\ude00\n";
    for (String json :
        new String[] {
          new JsonPrimitive(text).toString(),
          "\"a\\\"\\\\\\/\\b\\u00e9\\u20ac\\ud83d\\ude00\\n\"",
          "{\"k\":[1,\"a\\\"\\\\\\/\\b\u00e9\u20ac\ud83d\ude00\\n\",\"shorter\"]}"
        }) {
      BodyBuffer body = new BodyBuffer();
      byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
      for (int at = 0; at < bytes.length; at++) {
        body.add(ByteBuffer.wrap(Arrays.copyOfRange(bytes, at, at + 1)), BYTES_MAX);
      }
      assertEquals(text.getBytes(StandardCharsets.UTF_8).length, body.longestString(), json);
    }
  }

  private static String told() {
    return "-Dpensieve.seed=" + SEED;
  }
}
