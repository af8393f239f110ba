package io.pensieve.server.http.json;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.internal.LazilyParsedNumber;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import io.pensieve.log.Codec;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Parses bodies of JSON (RFC 8259) in UTF-8, with nothing after the value. */
public final class StrictJson {
  private static final int AT_ONCE_BYTES_MAX = 16 << 10; // a longer body is decoded lazily
  private static final String NOT_UTF8 = "the body is not UTF-8";

  private StrictJson() {}

  /** Reads one value. */
  interface Parser<T> {
    /** Reads to the end of the value. Exceptions of the reader become problems. */
    T parse(JsonReader json) throws IOException;
  }

  /** Returns the parser's result for the body. */
  static <T> T read(ByteArrayInputStream body, Parser<T> parser) {
    JsonStringScanner strings = new JsonStringScanner();
    try (JsonReader json = new JsonReader(utf8(body, strings))) {
      json.setStrictness(Strictness.STRICT);
      return parser.parse(json);
    } catch (MalformedJsonException notJsonOrNotText) {
      throw problemFor(strings);
    } catch (CharacterCodingException notUtf8) {
      throw ProblemType.MALFORMED_JSON.withDetail(NOT_UTF8);
    } catch (EOFException truncated) {
      throw ProblemType.MALFORMED_JSON.withDetail("the body ends before its JSON does");
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  /** Returns the text. The scanner sees what is read of it, if that has escapes. */
  private static Reader utf8(ByteArrayInputStream body, JsonStringScanner strings) {
    if (body.available() > AT_ONCE_BYTES_MAX) {
      // This decoder reports errors.
      return new InputStreamReader(strings.watching(body), StandardCharsets.UTF_8.newDecoder());
    }
    byte[] bytes = body.readAllBytes();
    String text;
    try {
      text = Codec.utf8().decode(bytes);
    } catch (IllegalArgumentException notUtf8) {
      throw ProblemType.MALFORMED_JSON.withDetail(NOT_UTF8);
    }
    if (text.indexOf('\\') >= 0) {
      strings.next(bytes, 0, bytes.length);
    }
    return new StringReader(text);
  }

  // "\\ud83d" alone is JSON, but not text: it has no UTF-8. Gson has one exception type for that
  // and for what is not JSON.
  private static ProblemException problemFor(JsonStringScanner strings) {
    return strings.hasUnpairedSurrogate()
        ? ProblemType.INVALID_BODY.withDetail(
            "a text has an unpaired surrogate, which has no UTF-8")
        : ProblemType.MALFORMED_JSON.withDetail("the body is not JSON as RFC 8259 has it");
  }

  /** Rejects anything after the value. */
  static void requireEnd(JsonReader json) throws IOException {
    if (json.peek() != JsonToken.END_DOCUMENT) {
      throw new MalformedJsonException("more than one value");
    }
  }

  /**
   * Skips one value, as strictly as if it was read: {@code skipValue} allows control characters.
   */
  static void skip(JsonReader json) throws IOException {
    int depth = 0;
    do {
      switch (json.peek()) {
        case BEGIN_OBJECT -> {
          json.beginObject();
          depth++;
        }
        case BEGIN_ARRAY -> {
          json.beginArray();
          depth++;
        }
        case END_OBJECT -> {
          json.endObject();
          depth--;
        }
        case END_ARRAY -> {
          json.endArray();
          depth--;
        }
        case NAME -> {
          String unused = json.nextName();
        }
        case STRING, NUMBER -> {
          String unused = json.nextString();
        }
        case BOOLEAN -> {
          boolean unused = json.nextBoolean();
        }
        case NULL -> json.nextNull();
        case END_DOCUMENT -> throw new EOFException("no value");
      }
    } while (depth > 0);
  }

  /**
   * Parses the body of a batch as a tree.
   *
   * @param nodesMax the maximum number of values, because each takes memory
   */
  public static JsonElement tree(ByteArrayInputStream body, int nodesMax) {
    return read(body, json -> new Tree(json, nodesMax).read());
  }

  // Gson's own trees silently keep the last of several fields with the same name.
  private static final class Tree {
    private final JsonReader json;
    private int nodesLeft;
    private @Nullable ProblemException firstFault;

    Tree(JsonReader json, int nodesMax) {
      this.json = json;
      this.nodesLeft = nodesMax;
    }

    JsonElement read() throws IOException {
      JsonElement root = element();
      requireEnd(json);
      // Throw only now: a body that is not JSON is malformed, even if its first fields are invalid.
      if (firstFault != null) {
        throw firstFault;
      }
      return root;
    }

    private JsonElement element() throws IOException {
      if (--nodesLeft < 0) {
        throw ProblemType.BATCH_TOO_LARGE.withDetail(
            "the body has more values than the operations of a batch");
      }
      JsonToken type = json.peek();
      return switch (type) {
        case BEGIN_OBJECT -> object();
        case BEGIN_ARRAY -> array();
        case STRING -> new JsonPrimitive(json.nextString());
        case NUMBER -> new JsonPrimitive(new LazilyParsedNumber(json.nextString()));
        case BOOLEAN -> new JsonPrimitive(json.nextBoolean());
        default -> {
          json.nextNull();
          yield JsonNull.INSTANCE;
        }
      };
    }

    private JsonObject object() throws IOException {
      JsonObject object = new JsonObject();
      json.beginObject();
      while (json.hasNext()) {
        String name = json.nextName();
        if (object.has(name) && firstFault == null) {
          firstFault = ProblemType.INVALID_BODY.withDetail("a field is there more than once");
        }
        object.add(name, element());
      }
      json.endObject();
      return object;
    }

    private JsonArray array() throws IOException {
      JsonArray array = new JsonArray();
      json.beginArray();
      while (json.hasNext()) {
        array.add(element());
      }
      json.endArray();
      return array;
    }
  }
}
