package io.pensieve;

import io.pensieve.lru.LruTable;
import io.pensieve.lru.Node;
import java.util.Iterator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Iterates over the entries of a map, weakly consistent. Shows each entry as one write left it:
 * key, value and version, which are durable by then. When the cursor has reached the end, the
 * removals of all entries that it did not meet are durable, too.
 */
final class EntryCursor<K, V> {
  private final Iterator<Node<K, V>> nodes;
  private final LruTable<K, V> table;
  private final LogChangeSink<K, V> journal;
  private final long begun;
  private @Nullable Node<K, V> node;
  private Node.@Nullable Snapshot<V> snapshot;

  /**
   * Creates a cursor. Nobody has looked for these nodes yet: the iterable, or its iterator, does.
   */
  EntryCursor(Iterable<Node<K, V>> nodes, LruTable<K, V> table, LogChangeSink<K, V> journal) {
    this.begun = journal.era();
    this.nodes = nodes.iterator();
    this.table = table;
    this.journal = journal;
  }

  /** Advances to the next entry that has a value; false if there is none. */
  boolean advance() {
    while (nodes.hasNext()) {
      node = nodes.next();
      snapshot = table.read(node);
      if (snapshot != null) {
        journal.awaitValue(snapshot.version());
        return true;
      }
      // The entry may have expired. Only a durable value may be reported as expired: see
      // ReadableMap.absent.
      journal.awaitValue(node.version());
    }
    node = null;
    snapshot = null;
    journal.awaitAbsences();
    journal.checkEra(begun);
    return false;
  }

  /** Reads the current entry again; false if it is gone. */
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

  Versioned<V> versioned() {
    return Versioned.of(Objects.requireNonNull(snapshot));
  }

  long version() {
    return Objects.requireNonNull(snapshot).version();
  }
}
