package io.pensieve.server.http;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object with known fields, read strictly. Refused: anything that RFC 8259 does not allow,
 * bytes that are not UTF-8, and of the known fields those that are missing, null, of another type,
 * there twice, or not encodable as UTF-8. Fields that are not known are skipped, so that an older
 * server understands a newer client.
 */
final class JsonFields {
  private static final char REPLACEMENT = '\uFFFD';

  private final Map<String, JsonToken> types;
  private final Map<String, String> texts = new HashMap<>();

  private JsonFields(Map<String, JsonToken> types) {
    this.types = types;
  }

  /** Reads an object that has exactly one field of each of these names and types. */
  static JsonFields read(ByteArrayInputStream body, Map<String, JsonToken> types) {
    JsonFields fields = new JsonFields(types);
    try (JsonReader json = new JsonReader(new StringReader(utf8(body.readAllBytes())))) {
      json.setStrictness(Strictness.STRICT);
      fields.read(json);
    } catch (MalformedJsonException notJson) {
      throw refusalFor(notJson);
    } catch (EOFException truncated) {
      throw Problem.MALFORMED_JSON.because("the body ends before its JSON does");
    } catch (CharacterCodingException notUtf8) {
      throw Problem.MALFORMED_JSON.because("the body is not UTF-8");
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return fields;
  }

  // The quick way puts U+FFFD for what is not UTF-8, and the strict way tells it from one that was
  // sent.
  private static String utf8(byte[] bytes) throws CharacterCodingException {
    String text = new String(bytes, StandardCharsets.UTF_8);
    return text.indexOf(REPLACEMENT) < 0
        ? text
        : StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
  }

  // "\\ud83d" alone is JSON, but no text: it has no UTF-8. The reader gives it no type of its own.
  private static Refusal refusalFor(MalformedJsonException notJson) {
    String message = String.valueOf(notJson.getMessage());
    return message.startsWith("Unpaired surrogate")
        ? Problem.INVALID_BODY.because("a text has an unpaired surrogate, which has no UTF-8")
        : Problem.MALFORMED_JSON.because("the body is not JSON as RFC 8259 has it");
  }

  private void read(JsonReader json) throws IOException {
    if (json.peek() != JsonToken.BEGIN_OBJECT) {
      json.skipValue();
      requireEnd(json);
      throw Problem.INVALID_BODY.because("the body is not a JSON object");
    }
    json.beginObject();
    Refusal firstFault = null;
    while (json.hasNext()) {
      Refusal fault = readField(json);
      firstFault = firstFault == null ? fault : firstFault;
    }
    json.endObject();
    requireEnd(json);
    // Only now: a body that is no JSON at all is malformed, whatever its first fields look like.
    if (firstFault != null) {
      throw firstFault;
    }
    requireAllFields();
  }

  private static void requireEnd(JsonReader json) throws IOException {
    if (json.peek() != JsonToken.END_DOCUMENT) {
      throw new MalformedJsonException("more than one value");
    }
  }

  private @Nullable Refusal readField(JsonReader json) throws IOException {
    String name = json.nextName();
    JsonToken type = types.get(name);
    if (type == null) {
      json.skipValue();
      return null;
    }
    JsonToken found = json.peek();
    if (found != type) {
      json.skipValue();
      return invalid(name, "is of type " + nameOf(found) + ", not " + nameOf(type));
    }
    return texts.put(name, json.nextString()) == null
        ? null
        : invalid(name, "is there more than once");
  }

  private void requireAllFields() {
    for (String name : types.keySet()) {
      if (!texts.containsKey(name)) {
        throw invalid(name, "is missing");
      }
    }
  }

  private static Refusal invalid(String field, String fault) {
    return Problem.INVALID_BODY.because("field \"" + field + "\" " + fault);
  }

  private static String nameOf(JsonToken type) {
    return switch (type) {
      case BEGIN_ARRAY -> "array";
      case BEGIN_OBJECT -> "object";
      default -> type.name().toLowerCase(Locale.ROOT);
    };
  }

  /** A field of type string. */
  String string(String name) {
    String text = texts.get(name);
    if (text == null) {
      throw new IllegalArgumentException("not a field that was read: " + name);
    }
    return text;
  }

  /** A field of type number that is to be a whole one, from 0 to 2^63 - 1, written in digits. */
  long wholeNumber(String name) {
    String text = string(name);
    if (!text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      throw invalid(name, "is not a whole number of zero or more");
    }
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException aboveMaximum) {
      throw invalid(name, "is above " + Long.MAX_VALUE);
    }
  }
}
