package io.pensieve;

import io.pensieve.log.Change;
import io.pensieve.log.LiveEntries;
import io.pensieve.lru.LruTable;
import io.pensieve.lru.Node;
import io.pensieve.lru.Restoration.Beginning;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** A table's entries, for a log that compacts itself. */
final class LiveTable<K, V> implements LiveEntries<K, V> {
  private final LruTable<K, V> table;
  private final LogJournal<K, V> journal;

  LiveTable(LruTable<K, V> table, LogJournal<K, V> journal) {
    this.table = table;
    this.journal = journal;
  }

  @Override
  public void refuseWithinFunction() {
    table.refuseWithinFunction();
  }

  @Override
  public Walk<K, V> walk() {
    return new TableWalk(table.settledStamp());
  }

  private final class TableWalk implements Walk<K, V> {
    private final long settledStamp;

    TableWalk(long settledStamp) {
      this.settledStamp = settledStamp;
    }

    // A key's change is appended while its node is in the table and changing. So whatever was
    // appended before this moment is found in the table, and visible once it changes no more.
    @Override
    public Iterator<Live<K, V>> coldestFirst() {
      return new LiveIterator<>(table.coldestFirst().iterator());
    }

    @Override
    public boolean replacing() {
      return journal.replacing();
    }

    @Override
    public void replaced(long sequence) {
      journal.replaced(new Beginning(settledStamp, sequence));
    }
  }

  private static final class LiveIterator<K, V> implements Iterator<Live<K, V>> {
    private final Iterator<Node<K, V>> nodes;
    private @Nullable Live<K, V> next;

    LiveIterator(Iterator<Node<K, V>> nodes) {
      this.nodes = nodes;
    }

    @Override
    public boolean hasNext() {
      while (next == null && nodes.hasNext()) {
        next = read(nodes.next());
      }
      return next != null;
    }

    private @Nullable Live<K, V> read(Node<K, V> node) {
      node.awaitChange();
      Node.Reading<V> reading = node.read();
      return reading == null
          ? null
          : new Live<>(
              new Change.Put<>(node.key(), reading.value(), reading.expiryMillis()),
              reading.version());
    }

    @Override
    public Live<K, V> next() {
      if (!hasNext() || next == null) {
        throw new NoSuchElementException();
      }
      Live<K, V> live = next;
      next = null;
      return live;
    }
  }
}
