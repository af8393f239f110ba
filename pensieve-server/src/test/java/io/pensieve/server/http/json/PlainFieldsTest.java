package io.pensieve.server.http.json;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.stream.JsonToken;
import io.pensieve.testing.Seed;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is read in the short way is what the strict reader reads; it decides about all else. */
final class PlainFieldsTest {
  private static final Map<String, JsonToken> TYPES =
      Map.of("key", JsonToken.STRING, "val", JsonToken.STRING);
  private static final byte[] KEY = bytes("\"key\"");
  private static final byte[] VALUE = bytes("\"val\"");
  private static final String PARTS = "{}\":,\\ \t\n\rkeyval\u0000\u001f\u007f\u00e9/'";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"key\":\"k\",\"val\":\"v\"}",
        "{\"key\":\"\",\"val\":\"\"}",
        " {\t\"key\"\n:\r\"k\" , \"val\" : \"{},:'/\u007f\" } ",
      })
  void aPlainObjectIsReadAsTheStrictReaderDoes(String json) {
    PlainFields plain = requireNonNull(PlainFields.read(bytes(json), KEY, VALUE));
    assertSame(json, plain);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{}",
        "null",
        "{\"key\":\"k\"}",
        "{\"key\":\"k\",\"val\":\"v\"",
        "{\"key\":\"k\",\"val\":\"v\"}}",
        "{\"key\":\"k\",\"val\":\"v\",}",
        "{\"key\":\"k\",\"val\":\"v\",\"key\":\"l\"}",
        "{\"key\":\"k\",\"key\":\"k\"}",
        "{\"key\":\"k\" \"val\":\"v\"}",
        "{\"key\":\"k\",\"val\":5}",
        "{\"key\":\"k\",\"val\":null}",
        "{\"val\":\"v\",\"key\":\"k\"}",
        "{\"Key\":\"k\",\"val\":\"v\"}",
        "{\"key\":\"k\",\"val\":\"\\\\\"}",
        "{\"key\":\"\\u0041\",\"val\":\"v\"}",
        "{\"key\":\"k\",\"val\":\"\u00e9\"}",
        "{\"key\":\"k\",\"val\":\"line\nbreak\"}",
        "{\"key\":\"k\",\"val\":\"line\n\"}",
        "{\"key\":\"k\",\"val\":\"v",
      })
  void anythingElseIsLeftToIt(String json) {
    assertNull(PlainFields.read(bytes(json), KEY, VALUE));
  }

  @Test
  void nothingIsPlainThatTheStrictReaderRefusesOrReadsOtherwise() {
    long seed = Seed.choose();
    Random random = new Random(seed);
    int found = 0;
    for (int i = 0; i < 20_000; i++) {
      String json = altered("{\"key\":\"a key\",\"val\":\"a value\"}", random);
      PlainFields plain = PlainFields.read(bytes(json), KEY, VALUE);
      if (plain != null) {
        found++;
        assertSame(json, plain);
      }
    }
    assertTrue(found > 100, "seed " + seed + ": some are still plain, " + found);
  }

  /** Returns the text with up to three characters inserted, removed or replaced. */
  private static String altered(String text, Random random) {
    StringBuilder altered = new StringBuilder(text);
    for (int changes = random.nextInt(4); changes > 0; changes--) {
      int at = random.nextInt(altered.length());
      char other = PARTS.charAt(random.nextInt(PARTS.length()));
      switch (random.nextInt(3)) {
        case 0 -> altered.insert(at, other);
        case 1 -> altered.deleteCharAt(at);
        default -> altered.setCharAt(at, other);
      }
    }
    return altered.toString();
  }

  private static void assertSame(String json, PlainFields plain) {
    JsonObjectReader strict = strict(json);
    assertNotNull(strict, json);
    assertEquals(strict.string("key"), plain.text(0), json);
    assertEquals(strict.string("val"), plain.text(1), json);
    assertArrayEquals(bytes(strict.string("key")), plain.bytes(0), json);
    assertArrayEquals(bytes(strict.string("val")), plain.bytes(1), json);
  }

  private static @Nullable JsonObjectReader strict(String json) {
    try {
      return JsonObjectReader.read(new ByteArrayInputStream(bytes(json)), TYPES);
    } catch (ProblemException refused) {
      return null;
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
