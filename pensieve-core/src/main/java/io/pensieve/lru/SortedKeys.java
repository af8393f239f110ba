package io.pensieve.lru;

import java.util.Comparator;
import java.util.NavigableSet;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a table in sorted order, if enabled. If not, every method costs only a test of a
 * final field.
 *
 * <p>Invariant: a key that has a value is here. Only the holder of its node's lock adds or removes
 * it. It is added before the change sink gets the change, and removed again if the sink refuses. So
 * a key that the comparator refuses never reaches the change sink. It is removed for good after the
 * change sink has the removal, and before its value is. A key here without a value is being
 * inserted or removed, or has expired, so readers also check the node.
 */
public final class SortedKeys<K> {
  /** Whether keys without a node may be left here. Error handlers set it. */
  volatile boolean damaged;

  private final @Nullable Comparator<? super K> comparator; // null if keys are not sorted
  private ConcurrentSkipListMap<K, Boolean> keys; // replaced only before the table is used

  /**
   * Creates an empty set.
   *
   * @param comparator consistent with the keys' {@code equals}; null to disable sorting
   */
  public SortedKeys(@Nullable Comparator<? super K> comparator) {
    this.comparator = comparator;
    this.keys = new ConcurrentSkipListMap<>(comparator);
  }

  /** Whether keys are sorted. */
  public boolean isEnabled() {
    return comparator != null;
  }

  /** The keys, ascending, weakly consistent, read-only; empty if they are not sorted. */
  public NavigableSet<K> ascending() {
    return keys.navigableKeySet();
  }

  void add(K key) {
    if (comparator != null) {
      keys.put(key, true);
    }
  }

  void remove(K key) {
    if (comparator != null) {
      keys.remove(key);
    }
  }

  /** Removes a key whose change was refused, perhaps by the comparator. */
  void undoAdd(K key) {
    try {
      remove(key);
    } catch (RuntimeException hasNoPlace) {
      // The comparator refused the key, so it was never added.
    }
  }

  /**
   * Replaces the keys by those of these nodes, which have values. Called before the table is used.
   */
  void fill(Iterable<? extends Node<K, ?>> nodes) {
    if (comparator != null) {
      keys = new ConcurrentSkipListMap<>(PresortedKeys.sorted(nodes, comparator));
    }
  }
}
