package io.pensieve.server.http;

import com.google.gson.stream.JsonWriter;
import io.pensieve.Versioned;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;

/** Entries as fields of JSON objects. */
final class EntryJson {

  private EntryJson() {}

  /** The key, its value and what belongs to it. */
  static void write(
      JsonWriter json, String key, Versioned<StoredValue> entry, Optional<Duration> life)
      throws IOException {
    json.name("key").value(key);
    write(json, entry, life);
  }

  /** The value and what belongs to it. */
  static void write(JsonWriter json, Versioned<StoredValue> entry, Optional<Duration> life)
      throws IOException {
    writeValue(json, entry.value());
    if (entry.version() != 0) { // an atomic batch that removes it later gives it none
      json.name("version").value(entry.version());
    }
    if (life.isPresent()) {
      json.name("ttl_ms").value(life.get().toMillis());
    }
  }

  /** The value with its type: as text if it is one, else in base64. */
  static void writeValue(JsonWriter json, StoredValue value) throws IOException {
    String text = value.text();
    if (text != null) {
      json.name("value").value(text);
    } else {
      ByteBuffer base64 = Base64.getEncoder().encode(value.bytes());
      json.name("value_base64").value(StandardCharsets.US_ASCII.decode(base64).toString());
    }
    json.name("content_type").value(value.type());
  }
}
