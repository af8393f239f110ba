package io.pensieve.lru;

import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Which entry has to go: all nodes of a table that may be evicted, how many are too many, and what
 * they weigh.
 *
 * <p>A lock of its own guards everything here, the wheel and the nodes' places in it. It is held
 * for a few steps only; nothing is waited for meanwhile, and nothing of a caller's runs. So whoever
 * wants it spins, and to give it back costs no atomic operation. It is never taken while a node is
 * owned, except where entries are weighed, and where a caller's function inside a decision calls
 * the table again.
 */
final class EvictionOrder<K, V> {
  /**
   * A node, the stamp for which it was chosen (if it has a later one now, it was used since), and
   * what it weighed.
   */
  record Victim<K, V>(Node<K, V> node, long stamp, int weight) {}

  // On a cache line of their own, with the neighbour that processors fetch with it.
  private static final int LINE_INTS = 2 * 64 / Integer.BYTES;
  private static final int LOCK = LINE_INTS;
  private static final int SIZE = LINE_INTS + 1;

  private final AtomicIntegerArray line = new AtomicIntegerArray(2 * LINE_INTS);
  private final StampWheel<K, V> wheel = new StampWheel<>();
  private final long maximumEntries;
  private final long maximumWeight;
  private final boolean weighted;
  private final AtomicLong weight = new AtomicLong(); // stays 0 if entries are not weighed

  EvictionOrder(Bounds<K, V> bounds) {
    maximumEntries = bounds.maximumEntries();
    maximumWeight = bounds.maximumWeight();
    weighted = bounds.isWeighted();
  }

  /** How many nodes are here. Exact only while nothing is being added or removed. */
  int size() {
    return line.get(SIZE);
  }

  /** Whether something must be evicted. Exact only while nothing is being added or removed. */
  boolean isOverfull() {
    return size() > maximumEntries || (weighted && weight.get() > maximumWeight);
  }

  /** What the nodes weigh together; if they are not weighed, their number. */
  long weight() {
    return weighted ? weight.get() : size();
  }

  /** The node weighs this from now on. For the node's owner, so that the last write counts. */
  void weigh(Node<K, V> node, int newWeight) {
    if (!weighted) {
      return;
    }
    lock();
    try {
      if (node.bucket >= 0) {
        addWeightLocked((long) newWeight - node.weight);
      }
      node.weight = newWeight;
    } finally {
      unlock();
    }
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

  /** As {@link #add}, in one step. */
  void addAll(List<Node<K, V>> nodes) {
    lock();
    try {
      nodes.forEach(this::addLocked);
    } finally {
      unlock();
    }
  }

  /**
   * As {@link #addAll}; of nodes with a stamp below that for which the last node was taken, the
   * first one here is then taken first.
   */
  void arrange(List<Node<K, V>> coldestFirst) {
    lock();
    try {
      coldestFirst.forEach(this::addLocked);
      coldestFirst.forEach(wheel::remove);
      coldestFirst.forEach(wheel::add);
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
      if (weighted || size() < maximumEntries || node.isDead() || node.bucket >= 0) {
        addLocked(node);
        return pollLocked(0, 0);
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
        addWeightLocked(-node.weight);
      }
    } finally {
      unlock();
    }
  }

  /**
   * If there are more nodes than the bounds allow, or heavier ones, takes out the one that was used
   * least recently.
   *
   * @param takenOut how many nodes have been taken out that are not evicted, and so count
   * @param weightTakenOut what these weigh
   */
  @Nullable Victim<K, V> pollOverflow(int takenOut, long weightTakenOut) {
    lock();
    try {
      return pollLocked(takenOut, weightTakenOut);
    } finally {
      unlock();
    }
  }

  private void addLocked(Node<K, V> node) {
    if (!node.isDead() && node.bucket < 0) {
      wheel.add(node);
      line.set(SIZE, Math.incrementExact(size()));
      addWeightLocked(node.weight);
    }
  }

  private @Nullable Victim<K, V> pollLocked(int takenOut, long weightTakenOut) {
    int size = size();
    boolean overfull =
        size + (long) takenOut > maximumEntries || weight.get() + weightTakenOut > maximumWeight;
    if (size == 0 || !overfull) {
      return null;
    }
    line.set(SIZE, size - 1);
    Victim<K, V> victim = coldestLocked();
    if (victim != null) {
      addWeightLocked(-victim.weight());
    }
    return victim;
  }

  private @Nullable Victim<K, V> coldestLocked() {
    Node<K, V> node = wheel.removeColdest();
    return node == null ? null : new Victim<>(node, wheel.floor(), node.weight);
  }

  private void addWeightLocked(long difference) {
    if (weighted) {
      weight.addAndGet(difference);
    }
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
