package io.pensieve;

import io.pensieve.lru.LruTable;
import io.pensieve.lru.Node;
import java.util.Iterator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Comes by the entries of a map, weakly consistent, and shows of each what one write left: key,
 * value and version, durable by then. When it has come to the end, the removals of all that it did
 * not meet are durable, too.
 */
final class EntryCursor<K, V> {
  private final Iterator<Node<K, V>> nodes;
  private final LruTable<K, V> table;
  private final LogChangeSink<K, V> journal;
  private @Nullable Node<K, V> node;
  private Node.@Nullable Snapshot<V> snapshot;

  EntryCursor(Iterator<Node<K, V>> nodes, LruTable<K, V> table, LogChangeSink<K, V> journal) {
    this.nodes = nodes;
    this.table = table;
    this.journal = journal;
  }

  /** Goes on to the next entry that has a value; false if there is none. */
  boolean advance() {
    while (nodes.hasNext()) {
      node = nodes.next();
      snapshot = table.read(node);
      if (snapshot != null) {
        journal.awaitValue(snapshot.version());
        return true;
      }
      // Expired, perhaps; only a durable value may be called so: see ReadableMap.absent.
      journal.awaitValue(node.version());
    }
    node = null;
    snapshot = null;
    journal.awaitAbsences();
    return false;
  }

  /** Shows what the entry is now; false if it has gone. */
  boolean reread() {
    Node<K, V> again = table.find(key());
    if (again == null) {
      return false;
    }
    node = again;
    snapshot = table.read(again);
    journal.awaitValue(again.version());
    return snapshot != null;
  }

  K key() {
    return Objects.requireNonNull(node).key();
  }

  V value() {
    return Objects.requireNonNull(snapshot).value();
  }

  long version() {
    return Objects.requireNonNull(snapshot).version();
  }
}
