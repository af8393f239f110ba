package io.pensieve;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Iterates over what a cursor shows of a map's entries, weakly consistent. An entry shows the value
 * it had when the iterator came by. Removes that value alone: one that was written later stays.
 */
final class ViewIterator<K, V, T> implements Iterator<T> {
  private final ReadableMap<K, V> map;
  private final EntryCursor<K, V> cursor;
  private final Function<? super EntryCursor<K, V>, ? extends T> shown;
  private boolean ahead; // whether the cursor stands on what comes next
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

  // What was set through the entry has been seen, too.
  private long seenVersion() {
    return last instanceof EntrySet.WriteThroughEntry<?, ?> entry ? entry.version() : lastVersion;
  }
}
