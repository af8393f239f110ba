package io.pensieve.lru;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;

/**
 * Which entry has to go: all nodes of a table that may be evicted, and how many are too many.
 *
 * <p>A lock of its own guards everything here, the wheel and the nodes' places in it. It is held
 * for a few steps only; nothing is waited for meanwhile, and nothing of a caller's runs. So whoever
 * wants it spins, and to give it back costs no atomic operation. It is never taken while a node is
 * owned, except where a caller's function inside a decision calls the table again.
 */
final class EvictionOrder<K, V> {
  /**
   * A node, and the stamp for which it was chosen: if it has a later one now, it was used since.
   */
  record Victim<K, V>(Node<K, V> node, long stamp) {}

  // On a cache line of their own, with the neighbour that processors fetch with it.
  private static final int LINE_INTS = 2 * 64 / Integer.BYTES;
  private static final int LOCK = LINE_INTS;
  private static final int SIZE = LINE_INTS + 1;

  private final AtomicIntegerArray line = new AtomicIntegerArray(2 * LINE_INTS);
  private final StampWheel<K, V> wheel = new StampWheel<>();
  private final long maximumEntries;

  EvictionOrder(long maximumEntries) {
    this.maximumEntries = maximumEntries;
  }

  /** How many nodes are here. Exact only while nothing is being added or removed. */
  int size() {
    return line.get(SIZE);
  }

  /** Whether something must be evicted. Exact only while nothing is being added or removed. */
  boolean isOverfull() {
    return size() > maximumEntries;
  }

  /** Adds a node, unless it is here or has died since its owner let go of it. */
  void add(Node<K, V> node) {
    lock();
    try {
      addLocked(node);
    } finally {
      unlock();
    }
  }

  /**
   * As {@link #add}, and then as {@link #pollOverflow} with nothing taken out, in one step: the
   * whole of it for a write that evicts.
   */
  @Nullable Victim<K, V> addAndPollOverflow(Node<K, V> node) {
    lock();
    try {
      if (size() < maximumEntries || node.isDead() || node.bucket >= 0) {
        addLocked(node);
        return pollLocked(0);
      }
      wheel.add(node);
      return coldestLocked(); // one came and one goes: the size stays, and need not be written
    } finally {
      unlock();
    }
  }

  /**
   * Takes a dead node out; one that was never added is left alone, and {@link #add} will see that
   * it is dead.
   */
  void remove(Node<K, V> node) {
    assert node.isDead();
    lock();
    try {
      if (node.bucket >= 0) {
        wheel.remove(node);
        line.set(SIZE, size() - 1);
      }
    } finally {
      unlock();
    }
  }

  /**
   * If there are more nodes than the bound allows, takes out the one that was used least recently.
   *
   * @param takenOut how many nodes have been taken out that are not evicted, and so count
   */
  @Nullable Victim<K, V> pollOverflow(int takenOut) {
    lock();
    try {
      return pollLocked(takenOut);
    } finally {
      unlock();
    }
  }

  private void addLocked(Node<K, V> node) {
    if (!node.isDead() && node.bucket < 0) {
      wheel.add(node);
      line.set(SIZE, Math.incrementExact(size()));
    }
  }

  private @Nullable Victim<K, V> pollLocked(int takenOut) {
    int size = size();
    if (size == 0 || size + (long) takenOut <= maximumEntries) {
      return null;
    }
    line.set(SIZE, size - 1);
    return coldestLocked();
  }

  private @Nullable Victim<K, V> coldestLocked() {
    Node<K, V> node = wheel.removeColdest();
    return node == null ? null : new Victim<>(node, wheel.floor());
  }

  private void lock() {
    for (int turns = 0; !line.compareAndSet(LOCK, 0, 1); ) {
      while (line.getOpaque(LOCK) != 0) {
        turns = Spin.once(turns);
      }
    }
  }

  private void unlock() {
    line.setRelease(LOCK, 0);
  }
}
