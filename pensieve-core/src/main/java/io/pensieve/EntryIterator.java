package io.pensieve;

import io.pensieve.lru.LruTable;
import io.pensieve.lru.Node;
import java.util.AbstractMap.SimpleEntry;
import java.util.Iterator;
import java.util.Map;
import java.util.Map.Entry;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * Iterates over a map's entries, weakly consistent. An entry shows the value it had when the
 * iterator came by, and that value is durable by then.
 */
final class EntryIterator<K, V> implements Iterator<Entry<K, V>> {
  private final Map<K, V> map;
  private final Iterator<Node<K, V>> nodes;
  private final LruTable<K, V> table;
  private final LogJournal<K, V> journal;
  private @Nullable Entry<K, V> next;
  private @Nullable Entry<K, V> last;

  EntryIterator(
      Map<K, V> map, Iterator<Node<K, V>> nodes, LruTable<K, V> table, LogJournal<K, V> journal) {
    this.table = table;
    this.map = map;
    this.nodes = nodes;
    this.journal = journal;
  }

  @Override
  public boolean hasNext() {
    while (next == null && nodes.hasNext()) {
      Node<K, V> node = nodes.next();
      V value = table.value(node);
      if (value != null) {
        journal.awaitValue(node.version());
        next = new WriteThroughEntry<>(map, node.key(), value);
      }
    }
    return next != null;
  }

  @Override
  public Entry<K, V> next() {
    if (!hasNext() || next == null) {
      throw new NoSuchElementException();
    }
    last = next;
    next = null;
    return last;
  }

  @Override
  public void remove() {
    if (last == null) {
      throw new IllegalStateException("next() has not been called since the last removal");
    }
    map.remove(last.getKey());
    last = null;
  }

  /** An entry as it was, whose {@code setValue} is a put. */
  private static final class WriteThroughEntry<K, V> extends SimpleEntry<K, V> {
    private static final long serialVersionUID = 1L;
    private final transient Map<K, V> map;

    WriteThroughEntry(Map<K, V> map, K key, V value) {
      super(key, value);
      this.map = map;
    }

    @Override
    public V setValue(V value) {
      map.put(getKey(), value);
      return super.setValue(value);
    }
  }
}
