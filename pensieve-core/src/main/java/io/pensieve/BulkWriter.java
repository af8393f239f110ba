package io.pensieve;

import io.pensieve.lru.LruTable;
import io.pensieve.lru.UpdateDecision;
import io.pensieve.lru.UpdateFunction;
import io.pensieve.lru.UpdateResult;

/**
 * Changes of many keys, one after another, that are waited for once, when this is closed: also if
 * one of them is refused, for those before it have been made.
 */
final class BulkWriter<K, V> implements AutoCloseable {
  private final LruTable<K, V> table;
  private final LogChangeSink<K, V> journal;
  private long observed; // what must be durable before it may be told what has become of the keys

  BulkWriter(LruTable<K, V> table, LogChangeSink<K, V> journal) {
    this.table = table;
    this.journal = journal;
  }

  void update(K key, UpdateFunction<V> function) {
    record(key, table.update(key, function));
  }

  /** As {@link #update}, if the key is present; says whether it was changed. */
  boolean updatePresent(K key, UpdateFunction<V> function) {
    return record(key, table.updatePresent(key, function));
  }

  /** Removes what the key has, and says whether it had something. */
  boolean remove(K key) {
    return updatePresent(key, UpdateDecision.remove());
  }

  /** Removes the value of this version, and says whether the key still had it. */
  boolean removeIfVersion(K key, long version) {
    return updatePresent(key, UpdateDecisions.ifVersion(version, UpdateDecision.remove()));
  }

  /** Writes the key, if its value is still that of this version, and says whether it was. */
  boolean replaceIfVersion(K key, long version, UpdateDecision<V> write) {
    return updatePresent(key, UpdateDecisions.ifVersion(version, write));
  }

  private boolean record(K key, UpdateResult<V> result) {
    observed = Math.max(observed, journal.sequence(key, result.version()));
    return result.changed();
  }

  @Override
  public void close() {
    journal.awaitValue(observed);
  }
}
