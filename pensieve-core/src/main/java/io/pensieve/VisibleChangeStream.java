package io.pensieve;

import io.pensieve.log.Change;
import io.pensieve.log.ChangeStream;
import io.pensieve.lru.LruTable;
import io.pensieve.lru.Node;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A log's changes. Each change is delivered once the map shows it, or a later change of the same
 * key.
 */
final class VisibleChangeStream<K, V> implements ChangeStream<K, V> {
  // The writer holds the node's lock from before the append until the value is visible. A reader of
  // the log either finds the node locked and waits, or finds the change or a later one. A key
  // without a node was removed later. A node that a function is computing has no change in the log
  // that is not yet visible.

  private final ChangeStream<K, V> changes;
  private final LruTable<K, V> table;
  private final AtomicLong visibleSequence;

  /**
   * Opens the stream. Waits until the map shows every change up to the start of the log's stream.
   *
   * @param shown the map shows every change up to this sequence; shared by all streams of a map
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
    table.checkNotWithinFunction(); // before the stream takes a change that would be lost
    List<Sequenced<K, V>> told = changes.next(patience);
    for (Sequenced<K, V> change : told) {
      awaitVisible(change.change(), change.sequence());
    }
    // The skipped changes are touches, which change nothing that the map shows.
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
