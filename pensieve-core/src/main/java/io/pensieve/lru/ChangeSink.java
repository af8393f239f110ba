package io.pensieve.lru;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Receives every change before it is visible, while the key's node is locked. Calls for one key
 * come one after another; calls for different keys may come in parallel. If the sink throws, the
 * change is not made.
 */
public interface ChangeSink<K, V> {

  /**
   * The key is about to get this value.
   *
   * @param expiryMillis when the entry will expire, in milliseconds since 1970-01-01T00:00Z, or
   *     {@link Node#NEVER}
   * @return the entry's version, above zero and above every earlier version of this key; or always
   *     zero, and then the table generates such versions itself
   */
  long put(K key, V value, long expiryMillis);

  /**
   * The key is about to be removed: by a caller, by an eviction, or because it has expired.
   *
   * @return the version of the removal, under the same rule as for {@link #put}
   */
  long remove(K key);

  /**
   * The change of one key.
   *
   * @param value null if the key is removed
   * @param expiryMillis as for {@link #put}
   */
  record KeyChange<K, V>(K key, @Nullable V value, long expiryMillis) {}

  /**
   * Several keys, all of them locked, are about to change atomically.
   *
   * @param entries at least one, each of another key
   * @return the version of each, under the same rule as for {@link #put}
   */
  long[] applyAtomically(List<KeyChange<K, V>> entries);

  /**
   * Whether an eviction that this sink refused may wait for the next writer. If so, the writer that
   * caused it does not learn of it: its own change was made. False by default.
   */
  default boolean mayPostponeEviction(Throwable refusal) {
    return false;
  }
}
