package io.pensieve;

import io.pensieve.lru.LruTable;
import io.pensieve.lru.UpdateDecision;
import io.pensieve.lru.UpdateFunction;
import io.pensieve.lru.UpdateResult;
import org.jspecify.annotations.Nullable;

/**
 * Changes many keys one after another and waits for the log once, on close. It also waits if one
 * change is refused, because the earlier ones were made.
 */
final class BulkWriter<K, V> implements AutoCloseable {
  private final LruTable<K, V> table;
  private final LogChangeSink<K, V> journal;
  private final long begun;
  private long observed; // what must be durable before the results may be returned

  BulkWriter(LruTable<K, V> table, LogChangeSink<K, V> journal) {
    this.table = table;
    this.journal = journal;
    this.begun = journal.beginWrite();
  }

  /** Updates a key. Returns its value afterwards. */
  @Nullable V update(K key, UpdateFunction<V> function) {
    UpdateResult<V> result = table.update(key, function);
    record(key, result);
    return result.value();
  }

  /** As {@link #update}, if the key is present. Returns whether it was changed. */
  boolean updatePresent(K key, UpdateFunction<V> function) {
    return record(key, table.updatePresent(key, function));
  }

  /** Removes the key. Returns whether it was present. */
  boolean remove(K key) {
    return updatePresent(key, UpdateDecision.remove());
  }

  /** Removes the value of this version. Returns whether the key still had it. */
  boolean removeIfVersion(K key, long version) {
    return updatePresent(key, UpdateDecisions.ifVersion(version, UpdateDecision.remove()));
  }

  /** Writes the key if its entry still has this version. Returns whether it had. */
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
    journal.checkEra(begun); // an earlier change may have been lost, and the last one not
  }
}
