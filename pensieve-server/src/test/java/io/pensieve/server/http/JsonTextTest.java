package io.pensieve.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.stream.JsonWriter;
import io.pensieve.server.Seed;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What goes from the map to the socket without becoming a string is what Gson would have sent. */
final class JsonTextTest {
  private static final long SEED = Seed.choose();
  private static final byte[] BEFORE = "{\"val\":\"".getBytes(StandardCharsets.UTF_8);
  private static final byte[] AFTER = "\"}".getBytes(StandardCharsets.UTF_8);

  private static String gson(String text) throws IOException {
    StringWriter out = new StringWriter();
    JsonWriter json = new JsonWriter(out);
    json.setHtmlSafe(false);
    json.beginObject().name("val").value(text).endObject();
    return out.toString();
  }

  private static String ours(String text) {
    ByteBuffer utf8 = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    return new String(JsonText.between(BEFORE, utf8, AFTER), StandardCharsets.UTF_8);
  }

  @Test
  void everyScalarIsWrittenAsGsonWritesIt() throws Exception {
    StringBuilder all = new StringBuilder();
    for (int scalar = 0; scalar <= Character.MAX_CODE_POINT; scalar++) {
      if (scalar < Character.MIN_SURROGATE || scalar > Character.MAX_SURROGATE) {
        String text = Character.toString(scalar);
        all.append(text);
        if (scalar < 0x3000) {
          assertEquals(gson(text), ours(text));
        }
      }
    }
    assertEquals(gson(all.toString()), ours(all.toString()));
  }

  @Test
  void mixturesAreWrittenAsGsonWritesThem() throws Exception {
    Random random = new Random(SEED);
    int[] awkward = {0, '\n', '"', '\\', 'a', 0x7f, 0xe9, 0x2027, 0x2028, 0x2029, 0x202a, 0x1F600};
    for (int i = 0; i < 5000; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(8); length > 0; length--) {
        text.appendCodePoint(awkward[random.nextInt(awkward.length)]);
      }
      assertEquals(gson(text.toString()), ours(text.toString()), "seed " + SEED);
    }
  }
}
