package io.pensieve.server.http.json;

import io.pensieve.Versioned;
import io.pensieve.server.http.value.StoredValue;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** Entries as fields of JSON objects. */
public final class EntryJson {

  private EntryJson() {}

  /** The key, its value and what belongs to it. */
  public static void write(
      LazyJsonWriter json, String key, Versioned<StoredValue> entry, Optional<Duration> ttl)
      throws IOException {
    json.name("key").value(key);
    write(json, entry, ttl);
  }

  /** The value and what belongs to it. */
  public static void write(
      LazyJsonWriter json, Versioned<StoredValue> entry, Optional<Duration> ttl)
      throws IOException {
    writeValue(json, entry.value());
    if (entry.version() != 0) { // an atomic batch that removes it later gives it none
      json.name("version").value(entry.version());
    }
    if (ttl.isPresent()) {
      json.name("ttl_ms").value(ttl.get().toMillis());
    }
  }

  /** The value with its type: as text if it is one, else in base64. */
  public static void writeValue(LazyJsonWriter json, StoredValue value) throws IOException {
    if (!json.text("value", value)) {
      json.base64("value_base64", value);
    }
    json.name("content_type").value(value.type());
  }
}
