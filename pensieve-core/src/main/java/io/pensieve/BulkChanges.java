package io.pensieve;

import io.pensieve.lru.Decision;
import io.pensieve.lru.LruTable;
import io.pensieve.lru.Maker;
import io.pensieve.lru.Outcome;

/**
 * Changes of many keys, one after another, that are waited for once, when this is closed: also if
 * one of them is refused, for those before it have been made.
 */
final class BulkChanges<K, V> implements AutoCloseable {
  private final LruTable<K, V> table;
  private final LogJournal<K, V> journal;
  private long observed; // what must be durable before it may be told what has become of the keys

  BulkChanges(LruTable<K, V> table, LogJournal<K, V> journal) {
    this.table = table;
    this.journal = journal;
  }

  void update(K key, Maker<V> maker) {
    note(key, table.update(key, maker));
  }

  /** As {@link #update}, if the key is present; says whether it was changed. */
  boolean updatePresent(K key, Maker<V> maker) {
    return note(key, table.updatePresent(key, maker));
  }

  /** Removes what the key has, and says whether it had something. */
  boolean remove(K key) {
    return updatePresent(key, Decision.remove());
  }

  /** Removes the value of this version, and says whether the key still had it. */
  boolean removeIfVersion(K key, long version) {
    return updatePresent(key, Writes.ifVersion(version, Decision.remove()));
  }

  /** Writes the key, if its value is still that of this version, and says whether it was. */
  boolean replaceIfVersion(K key, long version, Decision<V> write) {
    return updatePresent(key, Writes.ifVersion(version, write));
  }

  private boolean note(K key, Outcome<V> outcome) {
    observed = Math.max(observed, journal.sequence(key, outcome.version()));
    return outcome.changed();
  }

  @Override
  public void close() {
    journal.awaitValue(observed);
  }
}
