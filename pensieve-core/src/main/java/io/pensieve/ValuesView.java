package io.pensieve;

import org.jspecify.annotations.Nullable;

/** A view of a map's values; each comes once for each key that has it. */
final class ValuesView<K, V> extends View<K, V, V> {
  ValuesView(ReadableMap<K, V> map) {
    super(map);
  }

  @Override
  V elementAt(EntryCursor<K, V> entry) {
    return entry.value();
  }

  @Override
  public boolean contains(@Nullable Object value) {
    return value != null && map.containsValue(value);
  }

  // Removes the first equal value that is still there at its turn.
  @Override
  public boolean remove(@Nullable Object value) {
    if (value == null) {
      return false;
    }
    try (BulkWriter<K, V> changes = map.changeMany()) {
      for (EntryCursor<K, V> entry = map.cursor(); entry.advance(); ) {
        if (value.equals(entry.value()) && remove(entry, changes)) {
          return true;
        }
      }
    }
    return false;
  }
}
