package io.pensieve.server.http.json;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads a JSON object with known fields, strictly.
 *
 * <p>Rejects everything that RFC 8259 does not allow, and bytes that are not UTF-8. Rejects a known
 * field that is missing, null, of another type, a duplicate, or not encodable as UTF-8. Skips
 * unknown fields, so an older server accepts a newer client.
 */
public final class JsonObjectReader {
  private static final Pattern INTEGER = Pattern.compile("-?[0-9]+");

  private final Map<String, JsonToken> types;
  private final Map<String, String> texts = new HashMap<>();

  private JsonObjectReader(Map<String, JsonToken> types) {
    this.types = types;
  }

  /** Reads an object that has exactly one field of each of these names and types. */
  public static JsonObjectReader read(ByteArrayInputStream body, Map<String, JsonToken> types) {
    JsonObjectReader fields = new JsonObjectReader(types);
    return StrictJson.read(
        body,
        json -> {
          fields.read(json);
          return fields;
        });
  }

  private void read(JsonReader json) throws IOException {
    if (json.peek() != JsonToken.BEGIN_OBJECT) {
      StrictJson.skip(json);
      StrictJson.requireEnd(json);
      throw ProblemType.INVALID_BODY.withDetail("the body is not a JSON object");
    }
    json.beginObject();
    ProblemException firstFault = null;
    while (json.hasNext()) {
      ProblemException fault = readField(json);
      firstFault = firstFault == null ? fault : firstFault;
    }
    json.endObject();
    StrictJson.requireEnd(json);
    // Throw only now: a body that is not JSON is malformed, even if its first fields are invalid.
    if (firstFault != null) {
      throw firstFault;
    }
    requireAllFields();
  }

  private @Nullable ProblemException readField(JsonReader json) throws IOException {
    String name = json.nextName();
    JsonToken type = types.get(name);
    if (type == null) {
      StrictJson.skip(json);
      return null;
    }
    JsonToken found = json.peek();
    if (found != type) {
      StrictJson.skip(json);
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

  public static ProblemException invalid(String field, String fault) {
    return ProblemType.INVALID_BODY.withDetail("field \"" + field + "\" " + fault);
  }

  private static String nameOf(JsonToken type) {
    return switch (type) {
      case BEGIN_ARRAY -> "array";
      case BEGIN_OBJECT -> "object";
      default -> type.name().toLowerCase(Locale.ROOT);
    };
  }

  /** Returns a field of type string. */
  public String string(String name) {
    String text = texts.get(name);
    if (text == null) {
      throw new IllegalArgumentException("not a field that was read: " + name);
    }
    return text;
  }

  /** Returns a number field as a 64-bit integer, written in digits. */
  public long integer(String name) {
    return integer(name, string(name));
  }

  /** Parses a 64-bit integer, the text of a field of this name. */
  public static long integer(String name, String text) {
    if (!INTEGER.matcher(text).matches()) {
      throw invalid(name, "is not a whole number");
    }
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException beyondLong) {
      throw invalid(name, "is not a number of 64 bits");
    }
  }

  /** Returns a number field as an integer from 0 to 2^63 - 1, written in digits. */
  public long wholeNumber(String name) {
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
