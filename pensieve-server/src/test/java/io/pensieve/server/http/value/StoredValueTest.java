package io.pensieve.server.http.value;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.log.file.FileLog;
import io.pensieve.testing.Seed;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The bytes that values are kept as, once and for all. */
final class StoredValueTest {
  private static final long SEED = Seed.choose();

  private static StoredValue typed(String type, byte... bytes) {
    return StoredValue.typed(type, new ByteArrayInputStream(bytes));
  }

  private static String hex(StoredValue value) {
    return HexFormat.of().formatHex(StoredValue.codec().encode(value));
  }

  private static StoredValue fromHex(String hex) {
    return StoredValue.codec().decode(HexFormat.of().parseHex(hex));
  }

  private static byte[] bytes(StoredValue value) {
    ByteBuffer bytes = value.bytes();
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(copy);
    return copy;
  }

  @Test
  void aTextIsBareUtf8() {
    assertEquals("", hex(StoredValue.text("")));
    assertEquals("626172", hex(StoredValue.text("bar")));
    assertEquals("f09f9880", hex(StoredValue.text("\uD83D\uDE00")));
  }

  @Test
  void aTypedValueIsAByteThatUtf8NeverHasThenTheTypeThenTheBytes() {
    assertEquals("ff00", hex(typed("")));
    assertEquals("ff0000ff", hex(typed("", (byte) 0, (byte) 0xFF)));
    assertEquals("ff03612f62626172", hex(typed("a/b", (byte) 'b', (byte) 'a', (byte) 'r')));
    assertEquals(
        "ffff" + "61".repeat(255) + "00", hex(typed("a".repeat(255), (byte) 0)), "longest type");
  }

  @ParameterizedTest
  @CsvSource({
    "'', text/plain;charset=utf-8, ''",
    "626172, text/plain;charset=utf-8, 626172",
    "ff00, application/octet-stream, ''",
    "ff00ff, application/octet-stream, ff",
    "ff03612f62626172, a/b, 626172",
  })
  void whatIsKeptIsReadAgain(String kept, String type, String bytes) {
    StoredValue value = fromHex(kept);
    assertEquals(type, value.type());
    assertEquals(bytes, HexFormat.of().formatHex(bytes(value)));
    assertEquals(kept, hex(value));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ff", "ff03", "ff03612f", "ffff61", "80", "c328", "eda080", "fe00"})
  void whatWasNeverKeptIsRefused(String kept) {
    assertThrows(IllegalArgumentException.class, () -> fromHex(kept));
  }

  @Test
  void aTextWithoutUtf8IsRefused() {
    assertThrows(IllegalArgumentException.class, () -> StoredValue.text("\uD83D"));
  }

  @Test
  void aTypeHasALongestLength() {
    assertThrows(IllegalArgumentException.class, () -> typed("a".repeat(256)));
  }

  @Test
  void bytesAreTextIfTheyAreUtf8() {
    assertEquals("h\u00e9", StoredValue.text("h\u00e9").text());
    StoredValue typedText =
        StoredValue.typed(
            "x/y", new ByteArrayInputStream("h\u00e9".getBytes(StandardCharsets.UTF_8)));
    assertEquals("h\u00e9", typedText.text());
    assertNotNull(typedText.text());
    assertNull(typed("text/plain", (byte) 0xC3).text());
    assertNull(typed("text/plain", (byte) 0xC3).text());
  }

  @Test
  void valuesAreEqualIfTypeAndBytesAre() {
    assertEquals(typed("a/b", (byte) 1), typed("a/b", (byte) 1));
    assertEquals(typed("a/b", (byte) 1).hashCode(), typed("a/b", (byte) 1).hashCode());
    assertNotEquals(typed("a/b", (byte) 1), typed("a/c", (byte) 1));
    assertNotEquals(typed("a/b", (byte) 1), typed("a/b", (byte) 2));
    assertNotEquals(StoredValue.text("x"), typed("", (byte) 'x'));
  }

  @Test
  void aLogOfTextsIsOpenedAndTakesOtherValuesToo(@TempDir Path folder) {
    try (var texts =
        Pensieve.<String, String>builder()
            .log(FileLog.at(folder, Codec.utf8(), Codec.utf8()))
            .open()) {
      texts.put("text", "b\u00e4r");
      texts.put("empty", "");
    }
    try (var entries = open(folder)) {
      assertEquals(StoredValue.text("b\u00e4r"), entries.get("text"));
      assertEquals(StoredValue.text(""), entries.get("empty"));
      entries.put("typed", typed("a/b", (byte) 0xFF));
    }
    try (var entries = open(folder)) {
      assertEquals(typed("a/b", (byte) 0xFF), entries.get("typed"));
      assertEquals(3, entries.size());
    }
  }

  private static Pensieve<String, StoredValue> open(Path folder) {
    return Pensieve.<String, StoredValue>builder()
        .log(FileLog.at(folder, Codec.utf8(), StoredValue.codec()))
        .open();
  }

  @Test
  void aValueIsNeverPrinted() {
    assertEquals("6 bytes of text/plain;charset=utf-8", StoredValue.text("secret").toString());
  }

  @Test
  void anyBytesOfAnyTypeComeBackAsTheyWere() {
    Random random = new Random(SEED);
    for (int i = 0; i < 2000; i++) {
      byte[] bytes = new byte[random.nextInt(300)];
      random.nextBytes(bytes);
      String type = "t/" + "x".repeat(random.nextInt(254));
      byte[] kept = StoredValue.codec().encode(typed(type, bytes));
      StoredValue again = StoredValue.codec().decode(kept);
      assertEquals(type, again.type(), "seed " + SEED);
      assertArrayEquals(bytes, bytes(again), "seed " + SEED);
      assertEquals(bytes.length, again.size());
    }
  }
}
