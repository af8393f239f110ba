package io.pensieve;

import io.pensieve.log.Change;
import io.pensieve.log.Log;
import io.pensieve.log.LogException;
import io.pensieve.lru.Journal;
import io.pensieve.lru.Node;
import io.pensieve.lru.Restoration.Beginning;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Brings the table and the log together: changes go to the log before they are visible, and nothing
 * is shown before it is durable.
 *
 * <p>No dirty reads: whatever anyone has observed (a value, an absence, a condition that did not
 * hold) must survive what the log promises to survive. Every observation therefore passes {@link
 * #awaitValue} or {@link #awaitAbsence}, outside all locks. For a log that acknowledges a change by
 * appending it, both return at once.
 */
final class LogJournal<K, V> implements Journal<K, V> {
  private final Log<K, V> log;
  private final AbsenceGuard absences = new AbsenceGuard();
  private final boolean durableByAppending;
  private final AtomicBoolean closed = new AtomicBoolean();

  LogJournal(Log<K, V> log) {
    this.log = log;
    this.durableByAppending = log.durableSequence() == Long.MAX_VALUE;
  }

  @Override
  public long put(K key, V value) {
    refuseIfClosed();
    return log.append(new Change.Put<>(key, value));
  }

  @Override
  public long remove(K key) {
    refuseIfClosed();
    long sequence = log.append(new Change.Remove<>(key));
    if (!durableByAppending) {
      absences.removed(key, sequence);
    }
    return sequence;
  }

  private void refuseIfClosed() {
    if (closed.get()) {
      throw new IllegalStateException("the map is closed");
    }
  }

  /** Waits until a value of this version may be shown. */
  void awaitValue(long version) throws LogException {
    if (!durableByAppending && version > log.durableSequence()) {
      log.awaitDurable(version);
    }
  }

  /** Waits until a key that was found absent may be called absent. */
  void awaitAbsence(Object key) throws LogException {
    if (!durableByAppending) {
      awaitValue(absences.lastRemoval(key));
    }
  }

  /** As {@link #awaitValue}, without waiting. */
  CompletableFuture<Void> whenDurable(long version) {
    return log.whenDurable(version);
  }

  /** As {@link #awaitAbsence}, without waiting. */
  CompletableFuture<Void> whenAbsent(Object key) {
    return log.whenDurable(absences.lastRemoval(key));
  }

  /**
   * Closes the log, once. Before that, appends a touch for every entry that replaying the log would
   * otherwise put in a wrong place.
   *
   * @param coldestFirst the entries in the order to be kept
   * @param beginning tells which of them were there when the log was opened
   */
  void close(Iterable<Node<K, V>> coldestFirst, Beginning beginning) {
    if (closed.compareAndSet(false, true)) {
      try {
        touchOutOfOrder(coldestFirst, beginning);
      } finally {
        log.close();
      }
    }
  }

  // What was not used since the log was opened comes first, in the log's own order. Then come the
  // entries that were only written since: their order is that of their versions, which replaying
  // gives by itself. From the first one on that was read after it was written, or is younger than
  // such a one, the log must be told.
  private void touchOutOfOrder(Iterable<Node<K, V>> coldestFirst, Beginning beginning) {
    long lastInOrder = beginning.lastVersion();
    boolean outOfOrder = false;
    for (Node<K, V> node : coldestFirst) {
      if (node.value() == null || node.stamp() <= beginning.lastStamp()) {
        continue;
      }
      outOfOrder = outOfOrder || node.version() <= lastInOrder;
      lastInOrder = node.version();
      if (outOfOrder) {
        log.append(new Change.Touch<>(node.key()));
      }
    }
  }
}
