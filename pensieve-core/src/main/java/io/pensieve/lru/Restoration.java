package io.pensieve.lru;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.StreamSupport;

/**
 * Fills a table with the entries of an earlier life, by folding the changes that led to them. The
 * journal is told nothing, but for evictions at the end if the bound has become smaller.
 *
 * <p>Calls for different keys may come from several threads; those for one key come in order.
 */
public final class Restoration<K, V> {
  /**
   * What tells an entry that replaying will put in its place from one that has been used since.
   *
   * @param lastStamp an entry with a stamp above this has been read or written since
   * @param lastVersion an entry with a version above this has been written since
   */
  public record Beginning(long lastStamp, long lastVersion) {}

  private final NodeTable<K, V> table;
  private final UseClock clock;
  private final EvictionOrder<K, V> order;
  private final Runnable evictOverflow;

  Restoration(
      NodeTable<K, V> table, UseClock clock, EvictionOrder<K, V> order, Runnable evictOverflow) {
    this.table = table;
    this.clock = clock;
    this.order = order;
    this.evictOverflow = evictOverflow;
  }

  /** The key had this value, unless a later version is known already. */
  public void put(K key, V value, long expiryMillis, long version, long stamp) {
    Node<K, V> node = nodeOf(key);
    if (version >= node.version()) {
      node.set(value, expiryMillis, version);
      node.stamp(Math.max(stamp, node.stamp()));
    }
  }

  private Node<K, V> nodeOf(K key) {
    Node<K, V> present = table.get(key);
    if (present != null) {
      return present;
    }
    Node<K, V> added = new Node<>(key);
    Node<K, V> faster = table.putIfAbsent(added);
    return faster == null ? added : faster;
  }

  /** The key was removed, unless a later version is known already. */
  public void remove(K key, long version) {
    Node<K, V> node = table.get(key);
    if (node != null && version >= node.version()) {
      table.remove(node);
    }
  }

  /** The key, if it is known, was used then. */
  public void use(K key, long stamp) {
    Node<K, V> node = table.get(key);
    if (node != null) {
      node.stamp(Math.max(stamp, node.stamp()));
    }
  }

  /**
   * Puts the entries in order of their last use, and evicts those that the bound does not allow.
   *
   * @return where the new life begins
   */
  @SuppressWarnings({
    "unchecked",
    "rawtypes"
  }) // an array of a generic type cannot be made otherwise
  public Beginning finish() {
    Node<K, V>[] nodes = StreamSupport.stream(table.spliterator(), false).toArray(Node[]::new);
    Arrays.parallelSort(nodes, Comparator.comparingLong(Node::stamp));
    long stamp = 0;
    long version = 0;
    for (Node<K, V> node : nodes) {
      version = Math.max(version, node.version());
      node.stamp(++stamp);
      order.add(node);
    }
    clock.startAfter(stamp);
    evictOverflow.run();
    return new Beginning(stamp, version);
  }
}
