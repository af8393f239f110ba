package io.pensieve;

import io.pensieve.log.Change;
import io.pensieve.log.LiveEntries;
import io.pensieve.lru.LruTable;
import io.pensieve.lru.Node;
import io.pensieve.lru.TableRestorer.ReplayBaseline;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** The entries of a table, for a log that compacts itself. */
final class LiveTableEntries<K, V> implements LiveEntries<K, V> {
  private final LruTable<K, V> table;
  private final LogChangeSink<K, V> journal;

  LiveTableEntries(LruTable<K, V> table, LogChangeSink<K, V> journal) {
    this.table = table;
    this.journal = journal;
  }

  @Override
  public void checkNotWithinFunction() {
    table.checkNotWithinFunction();
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

    // A key's change is appended while its node is in the table and locked. So every change
    // appended before this moment is found in the table, and is visible once the node is unlocked.
    @Override
    public Iterator<LiveEntry<K, V>> coldestFirst() {
      return new LiveIterator<>(table.coldestFirst().iterator());
    }

    @Override
    public boolean beforeSwitch() {
      return journal.clearReplayBaseline();
    }

    @Override
    public void afterSwitch(long sequence) {
      journal.setReplayBaseline(new ReplayBaseline(settledStamp, sequence));
    }
  }

  private static final class LiveIterator<K, V> implements Iterator<LiveEntry<K, V>> {
    private final Iterator<Node<K, V>> nodes;
    private @Nullable LiveEntry<K, V> next;

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

    private @Nullable LiveEntry<K, V> read(Node<K, V> node) {
      node.awaitUnlocked();
      Node.Snapshot<V> snapshot = node.read();
      return snapshot == null
          ? null
          : new LiveEntry<>(
              new Change.Put<>(node.key(), snapshot.value(), snapshot.expiryMillis()),
              snapshot.version());
    }

    @Override
    public LiveEntry<K, V> next() {
      if (!hasNext() || next == null) {
        throw new NoSuchElementException();
      }
      LiveEntry<K, V> liveEntry = next;
      next = null;
      return liveEntry;
    }
  }
}
