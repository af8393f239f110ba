package io.pensieve;

import io.pensieve.lru.UpdateDecision;
import java.util.Map.Entry;
import org.jspecify.annotations.Nullable;

/** A view of a map's entries, each as it was when the iterator reached it. */
final class EntrySet<K, V> extends View.OfSet<K, V, Entry<K, V>> {
  EntrySet(ReadableMap<K, V> map) {
    super(map);
  }

  @Override
  Entry<K, V> elementAt(EntryCursor<K, V> entry) {
    return new ViewIterator.WriteThroughEntry<>(map, entry);
  }

  @Override
  public boolean contains(@Nullable Object object) {
    return object instanceof Entry<?, ?> entry
        && entry.getKey() != null
        && entry.getValue() != null
        && entry.getValue().equals(map.peek(entry.getKey()));
  }

  @Override
  boolean remove(@Nullable Object object, BulkWriter<K, V> changes) {
    return object instanceof Entry<?, ?> entry
        && entry.getKey() != null
        && changes.updatePresent(
            map.typed(entry.getKey()),
            UpdateDecisions.ifEqual(entry.getValue(), UpdateDecision.remove()));
  }
}
