package io.pensieve.lru;

import java.util.Comparator;
import java.util.NavigableSet;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a table in an order of their own, if that is asked for; if not, nothing, at the price
 * of a test of a final field.
 *
 * <p>How it holds: a key enters and leaves by the owner of its node. It enters before the journal
 * is told, and leaves again if that refuses: so a key that the comparator refuses is not in the
 * journal. It leaves for good after the journal was told, before its value does. So as long as a
 * key has a value, it is here. What is here without a value is just coming, or has expired: who
 * reads looks at the node as well.
 */
public final class SortedKeys<K> {
  /** Whether keys may be left here that no node has. Set by handlers of errors. */
  volatile boolean damaged;

  private final @Nullable Comparator<? super K> comparator; // null if keys are not sorted
  private ConcurrentSkipListMap<K, Boolean> keys; // another one only before the table is used

  /**
   * No keys yet.
   *
   * @param comparator consistent with the keys' {@code equals}; null if they are not to be sorted
   */
  public SortedKeys(@Nullable Comparator<? super K> comparator) {
    this.comparator = comparator;
    this.keys = new ConcurrentSkipListMap<>(comparator);
  }

  /** Whether keys are sorted. */
  public boolean isEnabled() {
    return comparator != null;
  }

  /** The keys, ascending and weakly consistent, to be read only; none if they are not sorted. */
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

  /** Takes out a key whose change was refused, perhaps by the comparator. */
  void undoAdd(K key) {
    try {
      remove(key);
    } catch (RuntimeException hasNoPlace) {
      // So it has none here.
    }
  }

  /** Takes the keys of all these nodes, which have values. Before the table is used. */
  void fill(Iterable<? extends Node<K, ?>> nodes) {
    if (comparator != null) {
      keys = new ConcurrentSkipListMap<>(PresortedKeys.sorted(nodes, comparator));
    }
  }
}
