package io.pensieve.lru;

/** Decides how long an entry lives after a write, for a table whose entries differ in that. */
@FunctionalInterface
public interface ExpiryRule<K, V> {
  /** In place of the remaining time: the entry is new. */
  long CREATED = -1;

  /**
   * Returns how long the entry lives from now on. Called while the key is locked; must be fast and
   * must not use the table.
   *
   * @param value the value that is written
   * @param remainingMillis how long the entry before would have lived, {@link Node#NEVER} if for
   *     ever; or {@link #CREATED}
   * @return more than 0; {@link Node#NEVER} if the entry does not expire
   */
  long ttlMillis(K key, V value, long remainingMillis);
}
