package io.pensieve.server.http.json;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.stream.JsonWriter;
import io.pensieve.log.Codec;
import io.pensieve.server.http.value.StoredValue;
import io.pensieve.testing.Seed;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** A value that is made into JSON piece by piece is what Gson makes of the whole. */
final class LazyJsonStringTest {
  private static final long SEED = Seed.choose();
  private static final String ODD =
      "\"\\/\b\f\n\r"
          + "\t\u0000\u0001\u001f\u007f<>&='\u00e9\u0800\u2027\u2028\u2029\u202a\ue000\uffff";

  private static final byte[] BEFORE_TEXT = "{\"a\":".getBytes(StandardCharsets.US_ASCII);

  private final Random random = new Random(SEED);

  @Test
  void everyKindOfCharacterIsEscapedAsGsonDoes() throws IOException {
    assertAsGson(ODD);
    assertAsGson("");
    for (char c = 0; c < 0x3000; c++) {
      assertAsGson("a" + c + "b");
    }
  }

  @RepeatedTest(20)
  void anyTextIsWhatGsonMakesOfIt() throws IOException {
    StringBuilder text = new StringBuilder();
    for (int length = random.nextInt(20_000); text.length() < length; ) {
      switch (random.nextInt(4)) {
        case 0 -> text.append(ODD.charAt(random.nextInt(ODD.length())));
        case 1 -> text.appendCodePoint(0x10000 + random.nextInt(0x100000));
        default -> text.append((char) (' ' + random.nextInt(90)));
      }
    }
    assertAsGson(text.toString());
  }

  @RepeatedTest(20)
  void anyBytesAreInBase64() {
    byte[] bytes = new byte[random.nextInt(10_000)];
    random.nextBytes(bytes);
    LazyJsonString string = LazyJsonString.base64(value(bytes));
    String expected = '"' + Base64.getEncoder().encodeToString(bytes) + '"';
    assertEquals(expected, new String(read(string), StandardCharsets.US_ASCII), told());
  }

  @RepeatedTest(20)
  void whatIsNoUtf8IsNoText() {
    byte[] bytes = new byte[1 + random.nextInt(6)];
    for (int i = 0; i < 2000; i++) {
      random.nextBytes(bytes);
      bytes[0] |= (byte) 0x80; // else most would begin well
      assertEquals(isUtf8(bytes), LazyJsonString.text(value(bytes)) != null, told());
    }
  }

  @Test
  void formsThatAreShorterOrMeanNothingAreNoText() {
    for (String hex : new String[] {"c080", "e08080", "eda080", "f0808080", "f4908080", "80"}) {
      byte[] bytes = java.util.HexFormat.of().parseHex(hex);
      assertNull(LazyJsonString.text(value(bytes)), hex);
    }
    assertNull(LazyJsonString.text(value(new byte[] {'a', (byte) 0xE2, (byte) 0x80})));
  }

  private static boolean isUtf8(byte[] bytes) {
    try {
      String unused = Codec.utf8().decode(bytes);
      return true;
    } catch (IllegalArgumentException notUtf8) {
      return false;
    }
  }

  private static StoredValue value(byte[] bytes) {
    return StoredValue.typed("text/plain", new ByteArrayInputStream(bytes));
  }

  private void assertAsGson(String text) throws IOException {
    StringWriter whole = new StringWriter();
    JsonWriter gson = new JsonWriter(whole);
    gson.setHtmlSafe(false);
    gson.value(text);
    LazyJsonString string = requireNonNull(LazyJsonString.text(StoredValue.text(text)));
    assertArrayEquals(whole.toString().getBytes(StandardCharsets.UTF_8), read(string), told());
    byte[] object =
        requireNonNull(LazyJsonWriter.objectOfText(BEFORE_TEXT, StoredValue.text(text)));
    assertEquals("{\"a\":" + whole + "}", new String(object, StandardCharsets.UTF_8), told());
  }

  /** Reads it through buffers of any size, down to the least that gets on. */
  private byte[] read(LazyJsonString string) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    LazyBytes.PartReader partReader = string.read();
    for (boolean ended = false; !ended; ) {
      ByteBuffer buffer =
          ByteBuffer.allocate(
              LazyJsonString.ESCAPE_BYTES_MAX + random.nextInt(1 + random.nextInt(99)));
      ended = partReader.fill(buffer);
      assertTrue(ended || buffer.position() > 0, told());
      all.write(buffer.array(), 0, buffer.position());
    }
    assertEquals(string.length(), all.size(), told());
    return all.toByteArray();
  }

  private static String told() {
    return "-Dpensieve.seed=" + SEED;
  }
}
