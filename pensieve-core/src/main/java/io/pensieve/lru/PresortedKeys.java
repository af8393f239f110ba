package io.pensieve.lru;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;

/**
 * A sorted list of keys, presented as a map: only from a sorted map can a skip list be built in
 * linear time. Supports iteration only.
 */
@SuppressWarnings("JdkObsolete") // a skip list is built from a SortedMap, and needs no more of it
final class PresortedKeys<K> extends AbstractMap<K, Boolean> implements SortedMap<K, Boolean> {
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
