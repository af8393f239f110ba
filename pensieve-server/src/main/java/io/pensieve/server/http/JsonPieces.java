package io.pensieve.server.http;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes compact JSON, in which values of entries are not made before they are sent: what it
 * returns holds on to the values, and to little else.
 */
final class JsonPieces extends JsonWriter {
  private static final int SHORT_BYTES_MAX = 1 << 10; // to make those at once is cheaper

  private final StringWriter text;
  private final List<Pieces.Part> parts = new ArrayList<>(1);

  private JsonPieces(StringWriter text) {
    super(text);
    this.text = text;
    setHtmlSafe(false);
  }

  /** An object with these fields. */
  static Pieces object(Answers.Fields fields) {
    return object("", fields, "");
  }

  /** The same with something before it and behind it. */
  static Pieces object(String before, Answers.Fields fields, String behind) {
    JsonPieces json = new JsonPieces(new StringWriter());
    json.text.append(before);
    try {
      json.beginObject();
      fields.write(json);
      json.endObject();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    json.text.append(behind);
    json.cut();
    return new Pieces(json.parts);
  }

  /** A field of this name with the text of a value; or else nothing, as its bytes are no text. */
  boolean text(String name, StoredValue value) throws IOException {
    if (value.size() <= SHORT_BYTES_MAX) {
      String known = value.text();
      if (known != null) {
        name(name).value(known);
      }
      return known != null;
    }
    JsonString string = JsonString.text(value);
    if (string == null) {
      return false;
    }
    name(name);
    add(string);
    return true;
  }

  /** A field of this name with the bytes of a value, in base64. */
  void base64(String name, StoredValue value) throws IOException {
    name(name);
    add(JsonString.base64(value));
  }

  private void add(Pieces.Part string) throws IOException {
    jsonValue(""); // the name, and what separates it from the one before
    cut();
    parts.add(string);
  }

  // What was written so far is a part of its own.
  private void cut() {
    if (text.getBuffer().length() > 0) {
      parts.add(new Pieces.Bytes(text.toString().getBytes(StandardCharsets.UTF_8)));
      text.getBuffer().setLength(0);
    }
  }
}
