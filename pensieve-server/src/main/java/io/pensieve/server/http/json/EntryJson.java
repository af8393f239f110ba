package io.pensieve.server.http.json;

import io.pensieve.Versioned;
import io.pensieve.server.http.value.StoredValue;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** Writes entries as fields of JSON objects. */
public final class EntryJson {

  private EntryJson() {}

  /**
   * Writes the key, the value and their attributes, but not how long the entry still lives: these
   * bytes depend on the version alone, as its strong tag says.
   */
  public static void write(LazyJsonWriter json, String key, Versioned<StoredValue> entry)
      throws IOException {
    json.name("key").value(key);
    write(json, entry, Optional.empty());
  }

  /** Writes the value and its attributes. */
  public static void write(
      LazyJsonWriter json, Versioned<StoredValue> entry, Optional<Duration> ttl)
      throws IOException {
    writeValue(json, entry.value());
    if (entry.version() != 0) { // 0 if a later operation of an atomic batch removes it
      json.name("version").value(entry.version());
    }
    if (ttl.isPresent()) {
      json.name("ttl_ms").value(ttl.get().toMillis());
    }
  }

  /** Writes the value with its type: as text if it is UTF-8, otherwise in base64. */
  public static void writeValue(LazyJsonWriter json, StoredValue value) throws IOException {
    if (!json.text("value", value)) {
      json.base64("value_base64", value);
    }
    json.name("content_type").value(value.type());
  }
}
