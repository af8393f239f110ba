package io.pensieve.log;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pensieve.testing.Seed;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CodecTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a",
        "a,b\nc\0d",
        "grüße",
        "\uD83D\uDE00 \uDBFF\uDFFF",
        "\uFFFF?",
        "\uFFFD, a\uFFFDb"
      })
  void aStringSurvivesUtf8(String value) {
    Codec<String> utf8 = Codec.utf8();
    assertEquals(value, utf8.decode(utf8.encode(value)));
  }

  @ParameterizedTest
  @ValueSource(chars = {'\uD83D', '\uDE00', '\uD800', '\uDFFF'})
  void anUnpairedSurrogateIsRefused(char surrogate) {
    assertThrows(IllegalArgumentException.class, () -> Codec.utf8().encode("a" + surrogate));
    assertThrows(IllegalArgumentException.class, () -> Codec.utf8().encode(surrogate + "a"));
  }

  @Test
  void bytesThatAreNotUtf8AreRefused() {
    byte[] overlong = {(byte) 0xC0, (byte) 0x80};
    assertThrows(IllegalArgumentException.class, () -> Codec.utf8().decode(overlong));
  }

  @Test
  void ofAnyBytesExactlyThoseAreRefusedThatAStrictDecoderRefuses() {
    long seed = Seed.first(1).findFirst().orElseThrow();
    Random random = new Random(seed);
    for (int i = 0; i < 200_000; i++) {
      byte[] bytes = someText(random).getBytes(StandardCharsets.UTF_8);
      if (bytes.length > 0 && random.nextBoolean()) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      }
      assertEquals(decodedStrictly(bytes), decoded(bytes), () -> "seed " + seed);
    }
  }

  private static String someText(Random random) {
    StringBuilder text = new StringBuilder();
    for (int length = random.nextInt(4); length > 0; length--) {
      int codePoint = random.nextInt(1 << (1 + random.nextInt(16)));
      text.appendCodePoint(Character.getType(codePoint) == Character.SURROGATE ? 'x' : codePoint);
    }
    return text.toString();
  }

  private static String decoded(byte[] bytes) {
    try {
      return Codec.utf8().decode(bytes);
    } catch (IllegalArgumentException refused) {
      return "refused";
    }
  }

  private static String decodedStrictly(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException refused) {
      return "refused";
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 0x0102030405060708L})
  void aLongSurvivesInt64(long value) {
    Codec<Long> int64 = Codec.int64();
    assertEquals(value, int64.decode(int64.encode(value)));
  }

  @Test
  void aLongIsLittleEndianAndExactlyEightBytes() {
    byte[] bytes = Codec.int64().encode(0x0102030405060708L);
    assertArrayEquals(new byte[] {8, 7, 6, 5, 4, 3, 2, 1}, bytes);
    assertThrows(IllegalArgumentException.class, () -> Codec.int64().decode(new byte[7]));
  }

  @Test
  void bytesAreNotCopied() {
    byte[] bytes = {1, 2, 3};
    assertEquals(bytes, Codec.bytes().decode(Codec.bytes().encode(bytes)));
  }
}
