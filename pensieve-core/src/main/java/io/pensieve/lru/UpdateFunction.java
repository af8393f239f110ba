package io.pensieve.lru;

import org.jspecify.annotations.Nullable;

/**
 * Decides about a key, given its value and version, or null and 0 if it has none. Runs while the
 * key is locked. It may take long: no other key waits for it.
 */
@FunctionalInterface
public interface UpdateFunction<V> {
  /** Decides. Called once for each call of the table. */
  UpdateDecision<V> decide(@Nullable V current, long version);
}
