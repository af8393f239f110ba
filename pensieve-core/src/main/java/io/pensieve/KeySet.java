package io.pensieve;

import org.jspecify.annotations.Nullable;

/** A view of a map's keys. Removing an element removes the key, whatever its value is by then. */
final class KeySet<K, V> extends View.OfSet<K, V, K> {
  KeySet(ReadableMap<K, V> map) {
    super(map);
  }

  @Override
  K elementAt(EntryCursor<K, V> entry) {
    return entry.key();
  }

  @Override
  boolean remove(EntryCursor<K, V> entry, BulkWriter<K, V> changes) {
    return changes.remove(entry.key());
  }

  @Override
  public boolean contains(@Nullable Object key) {
    return key != null && map.containsKey(key);
  }

  @Override
  boolean remove(@Nullable Object key, BulkWriter<K, V> changes) {
    return key != null && changes.remove(map.typed(key));
  }
}
