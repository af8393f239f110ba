package io.pensieve;

import java.util.AbstractSet;
import java.util.Iterator;
import java.util.Map.Entry;
import org.jspecify.annotations.Nullable;

/** A map's entries as a view: what is removed here is removed there, through the log. */
final class EntrySet<K, V> extends AbstractSet<Entry<K, V>> {
  private final Contents<K, V> map;

  EntrySet(Contents<K, V> map) {
    this.map = map;
  }

  @Override
  public Iterator<Entry<K, V>> iterator() {
    return map.entries();
  }

  @Override
  public int size() {
    return map.size();
  }

  @Override
  public boolean contains(@Nullable Object object) {
    return object instanceof Entry<?, ?> entry
        && entry.getKey() != null
        && entry.getValue() != null
        && entry.getValue().equals(map.peek(entry.getKey()));
  }

  @Override
  public boolean remove(@Nullable Object object) {
    return object instanceof Entry<?, ?> entry
        && entry.getKey() != null
        && map.remove(entry.getKey(), entry.getValue());
  }
}
