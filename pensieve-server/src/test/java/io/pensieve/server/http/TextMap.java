package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.pensieve.server.http.value.StoredValue;
import java.util.AbstractMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A server's entries, seen as texts without types. */
final class TextMap extends AbstractMap<String, String> {
  private final Pensieve<String, StoredValue> entries;

  TextMap(Pensieve<String, StoredValue> entries) {
    this.entries = entries;
  }

  @Override
  public @Nullable String get(Object key) {
    return text(entries.get(key));
  }

  @Override
  public @Nullable String put(String key, String value) {
    return text(entries.put(key, StoredValue.text(value)));
  }

  @Override
  public boolean containsKey(Object key) {
    return entries.containsKey(key);
  }

  @Override
  public Set<Map.Entry<String, String>> entrySet() {
    return entries.entrySet().stream()
        .map(entry -> Map.entry(entry.getKey(), Objects.requireNonNull(text(entry.getValue()))))
        .collect(Collectors.toSet());
  }

  private static @Nullable String text(@Nullable StoredValue value) {
    return value == null ? null : value.text();
  }
}
