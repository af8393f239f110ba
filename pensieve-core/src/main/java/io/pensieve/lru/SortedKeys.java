package io.pensieve.lru;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.SortedMap;
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

  /**
   * A sorted list of keys, presented as a map: only from a sorted map can a skip list be built in
   * linear time. Supports iteration only.
   */
  @SuppressWarnings("JdkObsolete") // a skip list is built from a SortedMap, and needs no more of it
  private static final class PresortedKeys<K> extends AbstractMap<K, Boolean>
      implements SortedMap<K, Boolean> {
    private final List<K> keys;
    private final Comparator<? super K> comparator;

    private PresortedKeys(List<K> keys, Comparator<? super K> comparator) {
      this.keys = keys;
      this.comparator = comparator;
    }

    static <K> PresortedKeys<K> sorted(
        Iterable<? extends Node<K, ?>> nodes, Comparator<? super K> comparator) {
      List<K> keys = new ArrayList<>();
      nodes.forEach(node -> keys.add(node.key()));
      keys.sort(comparator);
      return new PresortedKeys<>(keys, comparator);
    }

    @Override
    public Comparator<? super K> comparator() {
      return comparator;
    }

    @Override
    public Set<Entry<K, Boolean>> entrySet() {
      return new AbstractSet<>() {
        @Override
        public Iterator<Entry<K, Boolean>> iterator() {
          Iterator<K> ascending = keys.iterator();
          return new Iterator<>() {
            @Override
            public boolean hasNext() {
              return ascending.hasNext();
            }

            @Override
            public Entry<K, Boolean> next() {
              return Map.entry(ascending.next(), true);
            }
          };
        }

        @Override
        public int size() {
          return keys.size();
        }
      };
    }

    @Override
    public K firstKey() {
      return keys.get(0);
    }

    @Override
    public K lastKey() {
      return keys.get(keys.size() - 1);
    }

    @Override
    public SortedMap<K, Boolean> subMap(K from, K to) {
      throw new UnsupportedOperationException();
    }

    @Override
    public SortedMap<K, Boolean> headMap(K to) {
      throw new UnsupportedOperationException();
    }

    @Override
    public SortedMap<K, Boolean> tailMap(K from) {
      throw new UnsupportedOperationException();
    }
  }
}
