package io.pensieve.lru;

import org.jspecify.annotations.Nullable;

/**
 * Decides what becomes of a key, given its value and version, or null and 0 if it has none. Runs
 * while the key is locked, and may take its time: no other key waits for it.
 */
@FunctionalInterface
public interface UpdateFunction<V> {
  /** The decision; made once for each call of the table. */
  UpdateDecision<V> decide(@Nullable V current, long version);
}
