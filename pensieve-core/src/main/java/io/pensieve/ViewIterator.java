package io.pensieve;

import java.util.AbstractMap.SimpleEntry;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Iterates over the elements that a cursor shows, weakly consistent. An entry shows the value that
 * it had when the iterator reached it. Removing removes that value only: a later one stays.
 */
final class ViewIterator<K, V, T> implements Iterator<T> {
  private final ReadableMap<K, V> map;
  private final EntryCursor<K, V> cursor;
  private final Function<? super EntryCursor<K, V>, ? extends T> shown;
  private boolean ahead; // whether the cursor is at the next element
  private @Nullable K lastKey;
  private long lastVersion;
  private @Nullable T last;

  ViewIterator(
      ReadableMap<K, V> map,
      EntryCursor<K, V> cursor,
      Function<? super EntryCursor<K, V>, ? extends T> shown) {
    this.map = map;
    this.cursor = cursor;
    this.shown = shown;
  }

  @Override
  public boolean hasNext() {
    ahead = ahead || cursor.advance();
    return ahead;
  }

  @Override
  public T next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    ahead = false;
    lastKey = cursor.key();
    lastVersion = cursor.version();
    T next = shown.apply(cursor);
    last = next;
    return next;
  }

  @Override
  public void remove() {
    K key = lastKey;
    if (key == null) {
      throw new IllegalStateException("next() has not been called since the last removal");
    }
    lastKey = null;
    try (BulkWriter<K, V> change = map.changeMany()) {
      change.removeIfVersion(key, seenVersion());
    }
  }

  // A value that was set through the entry counts as seen.
  private long seenVersion() {
    return last instanceof WriteThroughEntry<?, ?> entry ? entry.version() : lastVersion;
  }

  /** A snapshot of an entry; its {@code setValue} is a put. */
  static final class WriteThroughEntry<K, V> extends SimpleEntry<K, V> {
    private static final long serialVersionUID = 1L;
    private final transient ReadableMap<K, V> map;
    private transient long version;

    WriteThroughEntry(ReadableMap<K, V> map, EntryCursor<K, V> seen) {
      super(seen.key(), seen.value());
      this.map = map;
      this.version = seen.version();
    }

    @Override
    public V setValue(V value) {
      version = map.write(getKey(), value);
      return super.setValue(value);
    }

    /** The version of this entry's value, read or set through this entry. */
    long version() {
      return version;
    }
  }
}
