package io.pensieve.lru;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Is told of every change before anyone can see it, while the change's key is locked: the calls for
 * one key come one after another, those for different keys may come at once. A journal that throws
 * prevents the change.
 */
public interface ChangeSink<K, V> {

  /**
   * The key is about to get this value.
   *
   * @param expiryMillis when the entry will expire, in milliseconds since 1970-01-01T00:00Z, or
   *     {@link Node#NEVER}
   * @return the entry's version, above zero and above every version given to this key before; or
   *     always zero, and then the table makes such versions itself
   */
  long put(K key, V value, long expiryMillis);

  /**
   * The key is about to be removed: by a caller, because it is the victim of an eviction, or
   * because it has expired.
   *
   * @return the version of the removal, under the same rule as for {@link #put}
   */
  long remove(K key);

  /**
   * What is about to become of a key.
   *
   * @param value null if the key is removed
   * @param expiryMillis as {@link #put} takes it
   */
  record KeyChange<K, V>(K key, @Nullable V value, long expiryMillis) {}

  /**
   * Several keys, which are all locked, are about to change as one.
   *
   * @param entries at least one, each of another key
   * @return the version of each, under the same rule as for {@link #put}
   */
  long[] applyAtomically(List<KeyChange<K, V>> entries);
}
