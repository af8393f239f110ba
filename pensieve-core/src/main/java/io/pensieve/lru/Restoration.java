package io.pensieve.lru;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Fills a table with the entries of an earlier life, by folding the changes that led to them. The
 * journal is told nothing, but for evictions at the end if the bound has become smaller.
 *
 * <p>Changes may be told by any number of threads and in any order, until {@link #finish}: of those
 * of one key, that with the largest version counts.
 */
public final class Restoration<K, V> {
  // What commutes: the largest version wins, be it a put or a removal, and so does the largest
  // stamp. (A use from before a removal has a smaller stamp than any put after it.) So that a put
  // that is told late cannot bring a removed key back, a removal leaves a node without a value in
  // the table, its version being that of the removal; and so does a use whose put is not told yet.
  // These nodes are vacant, and leave when everything before them has been told.
  //
  // A node is filled before it gets into the table, and changed with its monitor held. A dead one
  // has left the table: look the key up again. This object's monitor is never held meanwhile.

  // Beyond it begin stamps that an entry can only get in this life.
  private static final long STAMP_MAX = 1L << 61;

  /**
   * What tells an entry that replaying will put in its place from one that has been used since.
   *
   * @param lastStamp an entry with a stamp above this has been read or written since
   * @param lastVersion an entry with a version above this has been written since
   */
  public record Beginning(long lastStamp, long lastVersion) {}

  private record Vacant<K, V>(Node<K, V> node, long since) {}

  private final ConcurrentHashMap<K, Node<K, V>> table;
  private final UseClock clock;
  private final EvictionOrder<K, V> order;
  private final Runnable evictOverflow;
  private List<Vacant<K, V>> vacant = new ArrayList<>(); // guarded by this; some filled again

  Restoration(
      ConcurrentHashMap<K, Node<K, V>> table,
      UseClock clock,
      EvictionOrder<K, V> order,
      Runnable evictOverflow) {
    this.table = table;
    this.clock = clock;
    this.order = order;
    this.evictOverflow = evictOverflow;
  }

  /** The key had this value. */
  public void put(K key, V value, long expiryMillis, long version, long stamp) {
    while (true) {
      Node<K, V> node = table.get(key);
      if (node == null) {
        Node<K, V> fresh = new Node<>(key);
        fresh.setLocked(value, expiryMillis, version);
        fresh.stamp(stamp);
        node = table.putIfAbsent(key, fresh);
      }
      if (node == null || tryPut(node, value, expiryMillis, version, stamp)) {
        return;
      }
    }
  }

  private boolean tryPut(Node<K, V> node, V value, long expiryMillis, long version, long stamp) {
    synchronized (node) {
      if (!node.isDead() && version > node.version()) {
        node.setLocked(value, expiryMillis, version);
        node.stamp(Math.max(stamp, node.stamp()));
      }
      return !node.isDead();
    }
  }

  /** The key was removed. */
  public void remove(K key, long version) {
    Node<K, V> node = vacate(key, version);
    if (node != null) {
      remember(node, version);
    }
  }

  // The node, if it has no value now because of this removal.
  private @Nullable Node<K, V> vacate(K key, long version) {
    while (true) {
      Node<K, V> node = table.computeIfAbsent(key, Node::new);
      synchronized (node) {
        if (!node.isDead()) {
          if (version <= node.version()) {
            return null;
          }
          node.setLocked(null, Node.NEVER, version);
          return node;
        }
      }
    }
  }

  /** The key, if it had a value then, was used. */
  public void use(K key, long stamp) {
    while (true) {
      Node<K, V> node = table.computeIfAbsent(key, Node::new);
      synchronized (node) {
        if (node.isDead()) {
          continue;
        }
        node.stamp(Math.max(stamp, node.stamp()));
        if (node.value() != null) {
          return;
        }
      }
      remember(node, stamp);
      return;
    }
  }

  private synchronized void remember(Node<K, V> node, long since) {
    vacant.add(new Vacant<>(node, since));
  }

  /** Every change up to this version has been told: what was removed before may be forgotten. */
  public void toldUpTo(long version) {
    for (Vacant<K, V> candidate : takeVacant()) {
      if (candidate.since() <= version) {
        bury(candidate.node(), version);
      } else {
        remember(candidate.node(), candidate.since());
      }
    }
  }

  private synchronized List<Vacant<K, V>> takeVacant() {
    List<Vacant<K, V>> taken = vacant;
    if (!taken.isEmpty()) {
      vacant = new ArrayList<>();
    }
    return taken;
  }

  private void bury(Node<K, V> node, long version) {
    synchronized (node) {
      if (node.value() == null && node.version() <= version && !node.isDead()) {
        node.dieLocked();
        table.remove(node.key(), node);
      }
    }
  }

  /**
   * Puts the entries in order of their last use, and evicts those that the bound does not allow.
   * When everything has been told.
   *
   * @return where the new life begins
   */
  public Beginning finish() {
    toldUpTo(Long.MAX_VALUE);
    long lastStamp = 0;
    long lastVersion = 0;
    for (Node<K, V> node : table.values()) {
      lastStamp = Math.max(lastStamp, node.stamp());
      lastVersion = Math.max(lastVersion, node.version());
    }
    if (lastStamp > STAMP_MAX) {
      lastStamp = renumber();
    }
    table.values().forEach(order::add);
    clock.startAfter(lastStamp);
    evictOverflow.run();
    return new Beginning(lastStamp, lastVersion);
  }

  // Gives the entries the stamps from 1 on, in the same order.
  @SuppressWarnings({
    "unchecked",
    "rawtypes"
  }) // an array of a generic type cannot be made otherwise
  private long renumber() {
    Node<K, V>[] nodes = table.values().toArray(new Node[0]);
    Arrays.parallelSort(nodes, Comparator.comparingLong(Node::stamp));
    for (int i = 0; i < nodes.length; i++) {
      nodes[i].stamp(i + 1L);
    }
    return nodes.length;
  }
}
