package io.pensieve;

import java.util.AbstractSet;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** A map's keys as a view: what is removed here is removed there, through the log. */
final class KeySet<K, V> extends AbstractSet<K> {
  private final Contents<K, V> map;

  KeySet(Contents<K, V> map) {
    this.map = map;
  }

  @Override
  public Iterator<K> iterator() {
    EntryIterator<K, V> entries = map.entries();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return entries.hasNext();
      }

      @Override
      public K next() {
        return entries.next().getKey();
      }

      @Override
      public void remove() {
        entries.remove();
      }
    };
  }

  @Override
  public int size() {
    return map.size();
  }

  @Override
  public boolean contains(@Nullable Object key) {
    return key != null && map.containsKey(key);
  }

  @Override
  public boolean remove(@Nullable Object key) {
    return key != null && map.remove(key) != null;
  }
}
