package io.pensieve.replication;

import io.pensieve.log.Change;
import io.pensieve.log.LiveEntries.LiveEntry;
import io.pensieve.replication.format.Request;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The changes of one append, single or atomic. They are committed together, or undone together.
 *
 * @param changes puts and removals
 * @param before what each of them replaced
 * @param items their encoded form, and before them the request that made them, if there is one
 * @param bytes the size of the items
 * @param request the request that made them
 */
record UncommittedUpdate<K, V>(
    List<Change<K, V>> changes,
    List<@Nullable LiveEntry<K, V>> before,
    List<byte[]> items,
    int bytes,
    @Nullable Request request) {

  int count() {
    return changes.size();
  }

  /** Whether it makes the map larger. Evictions and expiries only remove. */
  boolean hasPut() {
    for (Change<K, V> change : changes) {
      if (change instanceof Change.Put) {
        return true;
      }
    }
    return false;
  }
}
