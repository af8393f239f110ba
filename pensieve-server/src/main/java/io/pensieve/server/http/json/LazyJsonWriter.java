package io.pensieve.server.http.json;

import com.google.gson.stream.JsonWriter;
import io.pensieve.server.http.value.StoredValue;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes compact JSON, in which values of entries are not made before they are sent: what it
 * returns holds on to the values, and to little else.
 */
public final class LazyJsonWriter extends JsonWriter {
  /** To make a text of these at once is cheaper than to make it as it is sent. */
  public static final int SHORT_BYTES_MAX = 1 << 10;

  private final StringWriter text;
  private final List<LazyBytes.Part> parts = new ArrayList<>(1);

  private LazyJsonWriter(StringWriter text) {
    super(text);
    this.text = text;
    setHtmlSafe(false);
  }

  /** An object with these fields. */
  public static LazyBytes object(FieldWriter fieldWriter) {
    return object("", fieldWriter, "");
  }

  /** The same with something before it and behind it. */
  public static LazyBytes object(String before, FieldWriter fieldWriter, String behind) {
    LazyJsonWriter json = new LazyJsonWriter(new StringWriter());
    json.text.append(before);
    try {
      json.beginObject();
      fieldWriter.write(json);
      json.endObject();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    json.text.append(behind);
    json.cut();
    return new LazyBytes(json.parts);
  }

  /**
   * The bytes of an object whose only field is the text of a short value; null if the value is no
   * text. The same as {@link #object} makes, at a third of its time.
   *
   * @param before the object up to that text, such as <code>{"val":</code>
   */
  public static byte @Nullable [] objectOfText(byte[] before, StoredValue value) {
    LazyJsonString string = LazyJsonString.text(value);
    if (string == null) {
      return null;
    }
    ByteBuffer all = ByteBuffer.allocate(before.length + (int) string.length() + 1);
    all.put(before);
    if (string.length() == 1 + value.size() + 1) { // nothing in it is escaped
      all.put((byte) '"').put(value.bytes()).put((byte) '"');
    } else {
      boolean isWhole = string.read().fill(all);
      assert isWhole : "a text is as long as it says";
    }
    return all.put((byte) '}').array();
  }

  /** A field of this name with the text of a value; or else nothing, as its bytes are no text. */
  public boolean text(String name, StoredValue value) throws IOException {
    if (value.size() <= SHORT_BYTES_MAX) {
      String known = value.text();
      if (known != null) {
        name(name).value(known);
      }
      return known != null;
    }
    LazyJsonString string = LazyJsonString.text(value);
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
    add(LazyJsonString.base64(value));
  }

  private void add(LazyBytes.Part string) throws IOException {
    jsonValue(""); // the name, and what separates it from the one before
    cut();
    parts.add(string);
  }

  // What was written so far is a part of its own.
  private void cut() {
    if (text.getBuffer().length() > 0) {
      parts.add(new LazyBytes.Bytes(text.toString().getBytes(StandardCharsets.UTF_8)));
      text.getBuffer().setLength(0);
    }
  }
}
