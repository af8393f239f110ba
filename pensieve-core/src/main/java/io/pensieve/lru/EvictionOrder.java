package io.pensieve.lru;

import org.jspecify.annotations.Nullable;

/**
 * Which entry has to go: all nodes of a table that may be evicted, how many are too many, and what
 * they weigh.
 *
 * <p>The monitor of this object guards everything here, the wheel and the nodes' places in it. It
 * is held for a few steps only; no other lock is taken meanwhile, and nothing of a caller's runs.
 * It is never taken while a node's monitor is held, except where entries are weighed, and where a
 * caller's function inside a decision calls the table again.
 */
final class EvictionOrder<K, V> {
  /**
   * A node, the stamp for which it was chosen (if it has a later one now, it was used since), and
   * what it weighed.
   */
  record Victim<K, V>(Node<K, V> node, long stamp, int weight) {}

  private final StampWheel<K, V> wheel = new StampWheel<>();
  private final long maximumEntries;
  private final long maximumWeight;
  private final boolean weighted;
  private volatile int size;
  private volatile long weight; // stays 0 if entries are not weighed

  EvictionOrder(Bounds<K, V> bounds) {
    maximumEntries = bounds.maximumEntries();
    maximumWeight = bounds.maximumWeight();
    weighted = bounds.isWeighted();
  }

  /** Whether something must be evicted. Exact only while nothing is being added or removed. */
  boolean isOverfull() {
    return size > maximumEntries || (weighted && weight > maximumWeight);
  }

  /** What the nodes weigh together; if they are not weighed, their number. */
  long weight() {
    return weighted ? weight : size;
  }

  /** The node weighs this from now on. Needs the node's monitor, so that the last write counts. */
  void weighLocked(Node<K, V> node, int newWeight) {
    if (weighted) {
      weigh(node, newWeight);
    }
  }

  private synchronized void weigh(Node<K, V> node, int newWeight) {
    if (node.bucket >= 0) {
      weight = weight - node.weight + newWeight;
    }
    node.weight = newWeight;
  }

  /** Adds a node, unless it is here or has died since its owner let go of it. */
  synchronized void add(Node<K, V> node) {
    if (!node.isDead() && node.bucket < 0) {
      wheel.add(node);
      size = Math.incrementExact(size);
      if (weighted) {
        weight = weight + node.weight;
      }
    }
  }

  /**
   * As {@link #add}, and then as {@link #pollOverflow} with nothing taken out, in one step: the
   * whole of it for a write that evicts.
   */
  synchronized @Nullable Victim<K, V> addAndPollOverflow(Node<K, V> node) {
    if (weighted || size < maximumEntries || node.isDead() || node.bucket >= 0) {
      add(node);
      return pollOverflow(0, 0);
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
      if (weighted) {
        weight = weight - node.weight;
      }
    }
  }

  /**
   * If there are more nodes than the bounds allow, or heavier ones, takes out the one that was used
   * least recently.
   *
   * @param takenOut how many nodes have been taken out that are not evicted, and so count
   * @param weightTakenOut what these weigh
   */
  synchronized @Nullable Victim<K, V> pollOverflow(int takenOut, long weightTakenOut) {
    boolean overfull =
        size + (long) takenOut > maximumEntries || weight + weightTakenOut > maximumWeight;
    if (size == 0 || !overfull) {
      return null;
    }
    size = size - 1;
    Victim<K, V> victim = takeColdest();
    if (weighted && victim != null) {
      weight = weight - victim.weight();
    }
    return victim;
  }

  private @Nullable Victim<K, V> takeColdest() {
    Node<K, V> node = wheel.removeColdest();
    return node == null ? null : new Victim<>(node, wheel.floor(), node.weight);
  }
}
