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
 * Writes compact JSON, but produces the values of entries only while they are sent. The result
 * retains the values and little else.
 */
public final class LazyJsonWriter extends JsonWriter {
  /** Up to this length, encoding a text at once is cheaper than encoding it lazily. */
  public static final int SHORT_BYTES_MAX = 1 << 10;

  private final StringWriter text;
  private final List<LazyBytes.Part> parts = new ArrayList<>(1);

  private LazyJsonWriter(StringWriter text) {
    super(text);
    this.text = text;
    setHtmlSafe(false);
  }

  /** Returns an object with these fields. */
  public static LazyBytes object(FieldWriter fieldWriter) {
    return object("", fieldWriter, "");
  }

  /** Returns an object with these fields, with text before it and after it. */
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
   * Returns the bytes of an object whose only field is the text of a short value, or null if the
   * value is not text. The result equals that of {@link #object}, in less than a third of its time.
   *
   * @param before the object up to that text, such as <code>{"val":</code>
   */
  public static byte @Nullable [] objectOfText(byte[] before, StoredValue value) {
    ByteBuffer bytes = value.bytes();
    if (PlainAscii.end(bytes, bytes.position()) == bytes.limit()) {
      ByteBuffer all = ByteBuffer.allocate(before.length + bytes.remaining() + "\"\"}".length());
      return all.put(before).put((byte) '"').put(bytes).put((byte) '"').put((byte) '}').array();
    }
    LazyJsonString string = LazyJsonString.text(value);
    if (string == null) {
      return null;
    }
    ByteBuffer all = ByteBuffer.allocate(before.length + (int) string.length() + 1);
    boolean isWhole = string.read().fill(all.put(before));
    assert isWhole : "a text is as long as it says";
    return all.put((byte) '}').array();
  }

  /**
   * Writes a field of this name with the text of a value. Writes nothing and returns false if the
   * bytes are not text.
   */
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

  /** Writes a field of this name with the bytes of a value, in base64. */
  void base64(String name, StoredValue value) throws IOException {
    name(name);
    add(LazyJsonString.base64(value));
  }

  private void add(LazyBytes.Part string) throws IOException {
    jsonValue(""); // writes the name and the separator before it
    cut();
    parts.add(string);
  }

  // Makes the text so far a part of its own.
  private void cut() {
    if (text.getBuffer().length() > 0) {
      parts.add(new LazyBytes.Bytes(text.toString().getBytes(StandardCharsets.UTF_8)));
      text.getBuffer().setLength(0);
    }
  }
}
