package io.pensieve;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.lru.LruTable;
import io.pensieve.lru.Node;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A log's changes, each told when the map shows it: what it made of the key, or something later.
 */
final class VisibleChangeStream<K, V> implements ChangeStream<K, V> {
  // A change is in the log before it is in the map, and the key's node is changing from before the
  // one until after the other. So whoever has read a change in the log finds a node that is
  // changing, and waits; or the change, or something later. A key that has no node any more was
  // removed later. A node that a function is computing has no change in the log that is not shown.

  private final ChangeStream<K, V> changes;
  private final LruTable<K, V> table;
  private final AtomicLong visibleSequence;

  /**
   * Begins when the map shows every change up to where the log's stream begins.
   *
   * @param shown the map shows every change up to here; shared by all streams of a map
   */
  VisibleChangeStream(ChangeStream<K, V> changes, LruTable<K, V> table, AtomicLong shown) {
    this.changes = changes;
    this.table = table;
    this.visibleSequence = shown;
    long begin = changes.sequence();
    if (begin > shown.get()) {
      table.forEach(Node::awaitUnlocked);
      shown.accumulateAndGet(begin, Math::max);
    }
  }

  @Override
  public List<Sequenced<K, V>> next(Duration patience) throws InterruptedException {
    table.checkNotWithinFunction(); // before anything is told that would be lost
    List<Sequenced<K, V>> told = changes.next(patience);
    for (Sequenced<K, V> change : told) {
      awaitVisible(change.change(), change.sequence());
    }
    // Those that were passed over are touches, which change nothing that the map shows.
    visibleSequence.accumulateAndGet(changes.sequence(), Math::max);
    return told;
  }

  private void awaitVisible(Change<K, V> change, long sequence) {
    if (sequence <= visibleSequence.get()) {
      return;
    }
    Node<K, V> node = table.find(change.key());
    if (node != null && !node.hasReached(sequence)) {
      node.awaitUnlocked();
    }
  }

  @Override
  public long sequence() {
    return changes.sequence();
  }

  @Override
  public void close() {
    changes.close();
  }
}
