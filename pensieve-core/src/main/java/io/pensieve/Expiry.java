package io.pensieve;

import java.time.Duration;

/**
 * Decides how long each entry lives, for {@link PensieveBuilder#expireAfter}. Called with the key
 * locked or not, by many threads at once: must be fast, must not use the map, and must not throw. A
 * time must be positive; it is rounded up to milliseconds. {@link #FOREVER} means that the entry
 * does not expire.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public interface Expiry<K, V> {
  /** The time of an entry that does not expire. */
  Duration FOREVER = Duration.ofSeconds(Long.MAX_VALUE);

  /** Returns how long a new entry lives. */
  Duration afterCreate(K key, V value);

  /**
   * Returns how long an entry lives from now on that gets this value in place of another one. By
   * default as long as it would have.
   *
   * @param remaining how long the entry would have lived
   */
  default Duration afterUpdate(K key, V value, Duration remaining) {
    return remaining;
  }

  /**
   * Returns how long an entry lives from now on that is read. By default as long as it would have.
   * The map calls this for each read, but applies it only if it makes a difference of more than an
   * eighth: see {@link PensieveBuilder#expireAfterAccess}.
   *
   * @param remaining how long the entry would have lived
   */
  default Duration afterRead(K key, V value, Duration remaining) {
    return remaining;
  }
}
