package io.pensieve.lru;

import org.jspecify.annotations.Nullable;

/**
 * The result of an update of a key.
 *
 * @param previous its value before, or null if it had none
 * @param value its value after, or null if it has none
 * @param version the version of the change; if nothing changed, that of the entry; 0 for a key that
 *     was absent and still is
 * @param changed whether there was a change, and so a call of the change sink
 */
public record UpdateResult<V>(
    @Nullable V previous, @Nullable V value, long version, boolean changed) {
  private static final UpdateResult<?> ABSENT = new UpdateResult<>(null, null, 0, false);

  /** The key was absent and still is. */
  @SuppressWarnings("unchecked") // holds no value, so it is of every type
  static <V> UpdateResult<V> absent() {
    return (UpdateResult<V>) ABSENT;
  }
}
