package io.pensieve.lru;

import org.jspecify.annotations.Nullable;

/**
 * Which entry has to go: all nodes of a table that may be evicted, and how many are too many.
 *
 * <p>The monitor of this object guards everything here, the wheel and the nodes' places in it. It
 * is held for a few steps only; no other lock is taken meanwhile, and nothing of a caller's runs.
 * It is never taken while a node's monitor is held, except where a caller's function inside a
 * decision calls the table again.
 */
final class EvictionOrder<K, V> {
  /**
   * A node, and the stamp for which it was chosen: if it has a later one now, it was used since.
   */
  record Victim<K, V>(Node<K, V> node, long stamp) {}

  private final StampWheel<K, V> wheel = new StampWheel<>();
  private final long maximumEntries;
  private volatile int size;

  EvictionOrder(long maximumEntries) {
    this.maximumEntries = maximumEntries;
  }

  /** How many nodes are here. Exact only while nothing is being added or removed. */
  long size() {
    return size;
  }

  /** Whether something must be evicted. Exact only while nothing is being added or removed. */
  boolean isOverfull() {
    return size > maximumEntries;
  }

  /** Adds a node, unless it is here or has died since its owner let go of it. */
  synchronized void add(Node<K, V> node) {
    if (!node.isDead() && node.bucket < 0) {
      wheel.add(node);
      size = Math.incrementExact(size);
    }
  }

  /**
   * As {@link #add}, and then as {@link #pollOverflow} with nothing taken out, in one step: the
   * whole of it for a write that evicts.
   */
  synchronized @Nullable Victim<K, V> addAndPollOverflow(Node<K, V> node) {
    if (size < maximumEntries || node.isDead() || node.bucket >= 0) {
      add(node);
      return pollOverflow(0);
    }
    wheel.add(node);
    return takeColdest(); // one came and one goes: the size stays, and need not be written
  }

  /**
   * Takes a dead node out; one that was never added is left alone, and {@link #add} will see that
   * it is dead.
   */
  synchronized void remove(Node<K, V> node) {
    assert node.isDead();
    if (node.bucket >= 0) {
      wheel.remove(node);
      size = size - 1;
    }
  }

  /**
   * If there are more nodes than the bound allows, takes out the one that was used least recently.
   *
   * @param takenOut how many nodes have been taken out that are not evicted, and so count
   */
  synchronized @Nullable Victim<K, V> pollOverflow(int takenOut) {
    if (size == 0 || size + (long) takenOut <= maximumEntries) {
      return null;
    }
    size = size - 1;
    return takeColdest();
  }

  private @Nullable Victim<K, V> takeColdest() {
    Node<K, V> node = wheel.removeColdest();
    return node == null ? null : new Victim<>(node, wheel.floor());
  }
}
