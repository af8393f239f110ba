package io.pensieve.lru;

import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Finds the least recently used entry, without being told of uses: a lazy 4-ary min-heap.
 *
 * <p>Beside each node the heap keeps the stamp that the node had when it was last looked at. Stamps
 * only grow, so these are lower bounds. The victim is the root whose node still carries its stamp:
 * no other node can be older. A root whose stamp has moved on is sifted down to where it belongs
 * now. A use of an entry thus costs its eviction order nothing until it comes up for eviction, and
 * then O(log n). A new node carries the newest stamp, so adding it is O(1).
 *
 * <p>One lock guards everything here. It is never held while a node's monitor is taken, nor taken
 * while one is held, except where a caller's function inside a decision calls the table again.
 */
final class EvictionOrder<K, V> {
  private static final int ARITY = 4;
  private static final int NODES_MIN = 64;

  /**
   * A node, and the stamp for which it was chosen: if it has another one now, it was used since.
   */
  record Victim<K, V>(Node<K, V> node, long stamp) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final long maximumEntries;
  private Node<K, V>[] nodes = newNodes(NODES_MIN);
  private long[] stamps = new long[NODES_MIN];
  private volatile int size;

  EvictionOrder(long maximumEntries) {
    this.maximumEntries = maximumEntries;
  }

  /** Whether something must be evicted. Exact only while nothing is being added or removed. */
  boolean isOverfull() {
    return size > maximumEntries;
  }

  /** Adds a node, unless it has died since its owner let go of it. */
  void add(Node<K, V> node) {
    lock.lock();
    try {
      if (!node.dead && node.place < 0) {
        if (size == nodes.length) {
          growLocked();
        }
        int last = size;
        size = last + 1;
        siftUpLocked(last, node, node.stamp());
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes a dead node out; one that was never added is left alone, and {@link #add} will see that
   * it is dead.
   */
  void remove(Node<K, V> node) {
    assert node.dead;
    lock.lock();
    try {
      if (node.place >= 0) {
        removeLocked(node.place);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * If there are more nodes than the bound allows, takes out the one that was used least recently.
   *
   * @param takenOut how many nodes have been taken out that are not evicted, and so count
   */
  @Nullable Victim<K, V> pollOverflow(int takenOut) {
    lock.lock();
    try {
      if (size == 0 || size + (long) takenOut <= maximumEntries) {
        return null;
      }
      refreshRootLocked();
      Victim<K, V> victim = new Victim<>(nodes[0], stamps[0]);
      removeLocked(0);
      return victim;
    } finally {
      lock.unlock();
    }
  }

  // Ends: each round makes one stamp current, and only uses that happen meanwhile make more work.
  private void refreshRootLocked() {
    for (long stamp; (stamp = nodes[0].stamp()) != stamps[0]; ) {
      siftDownLocked(0, nodes[0], stamp);
    }
  }

  private void removeLocked(int place) {
    nodes[place].place = -1;
    int last = size - 1;
    size = last;
    Node<K, V> moved = nodes[last];
    long stamp = stamps[last];
    clearLocked(last);
    if (place == last) {
      return;
    }
    if (place > 0 && stamp < stamps[parent(place)]) {
      siftUpLocked(place, moved, stamp);
    } else {
      siftDownLocked(place, moved, stamp);
    }
  }

  @SuppressWarnings("NullAway") // free places of the array hold null, and nothing reads them
  private void clearLocked(int place) {
    nodes[place] = null;
  }

  private void siftUpLocked(int place, Node<K, V> node, long stamp) {
    int hole = place;
    while (hole > 0 && stamp < stamps[parent(hole)]) {
      setLocked(hole, nodes[parent(hole)], stamps[parent(hole)]);
      hole = parent(hole);
    }
    setLocked(hole, node, stamp);
  }

  private void siftDownLocked(int place, Node<K, V> node, long stamp) {
    int hole = place;
    for (int child; (child = coldestChildLocked(hole)) >= 0 && stamps[child] < stamp; ) {
      setLocked(hole, nodes[child], stamps[child]);
      hole = child;
    }
    setLocked(hole, node, stamp);
  }

  private int coldestChildLocked(int place) {
    int first = place * ARITY + 1;
    if (first >= size) {
      return -1;
    }
    int coldest = first;
    int end = Math.min(first + ARITY, size);
    for (int child = first + 1; child < end; child++) {
      if (stamps[child] < stamps[coldest]) {
        coldest = child;
      }
    }
    return coldest;
  }

  private void setLocked(int place, Node<K, V> node, long stamp) {
    nodes[place] = node;
    stamps[place] = stamp;
    node.place = place;
  }

  private void growLocked() {
    int capacity = Math.addExact(nodes.length, nodes.length / 2);
    nodes = Arrays.copyOf(nodes, capacity);
    stamps = Arrays.copyOf(stamps, capacity);
  }

  private static int parent(int place) {
    return (place - 1) / ARITY;
  }

  @SuppressWarnings("unchecked") // an array of a generic type cannot be made otherwise
  private static <K, V> Node<K, V>[] newNodes(int length) {
    return (Node<K, V>[]) new Node<?, ?>[length];
  }
}
