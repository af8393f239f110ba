package io.pensieve.lru;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Which entry has to go: all nodes of a table that may be evicted, how many are too many, and what
 * they weigh.
 *
 * <p>A lock of its own guards everything here, the wheel and the nodes' places in it. It is held
 * for a few steps only; nothing is waited for meanwhile, and nothing of a caller's runs. So whoever
 * wants it spins, and to give it back costs no atomic operation. It is never taken while a node is
 * owned, except where entries are weighed.
 *
 * <p>If an {@code Error} ends those steps midway, the handler gives the lock back by a plain store,
 * and says that the order is {@link #damaged}. Whoever takes the lock next builds the wheel, the
 * size and the weight anew from the table, before anything else. So does a handler elsewhere that
 * leaves a node with a value out of the order, or a dead one in it.
 */
final class EvictionOrder<K, V> {
  /**
   * A node, the stamp for which it was chosen (if it has a later one now, it was used since, and
   * stays), and what it weighed.
   */
  static final class Victim<K, V> implements UpdateFunction<V> {
    final Node<K, V> node;
    final long stamp;
    final int weight;

    Victim(Node<K, V> node, long stamp, int weight) {
      this.node = node;
      this.stamp = stamp;
      this.weight = weight;
    }

    @Override
    public UpdateDecision<V> decide(@Nullable V current, long version) {
      return current == null || node.stamp() > stamp
          ? UpdateDecision.keep()
          : UpdateDecision.remove();
    }
  }

  // On a cache line of their own, with the neighbour that processors fetch with it.
  private static final int LINE_INTS = 2 * 64 / Integer.BYTES;
  private static final int LOCK = LINE_INTS;
  private static final int SIZE = LINE_INTS + 1;
  private static final VarHandle INTS = MethodHandles.arrayElementVarHandle(int[].class);

  /** Whether this is to be built anew. Set by handlers of errors, which need no call for that. */
  volatile boolean damaged;

  private final int[] line = new int[2 * LINE_INTS];
  private final NodeTable<K, V> table;
  private final long maximumEntries;
  private final long maximumWeight;
  final boolean weighted;
  private final AtomicLong weight = new AtomicLong(); // stays 0 if entries are not weighed
  private StampRadixHeap<K, V> heap = new StampRadixHeap<>(0);
  private int generation; // of the newest wheel, also of one that was not finished

  EvictionOrder(Capacity<K, V> capacity, NodeTable<K, V> table) {
    this.table = table;
    maximumEntries = capacity.maximumEntries();
    maximumWeight = capacity.maximumWeight();
    weighted = capacity.isWeighted();
  }

  /** How many nodes are here. Exact only while nothing is being added or removed. */
  int size() {
    if (damaged) {
      addAll(List.of());
    }
    return sizeNow();
  }

  private int sizeNow() {
    return (int) INTS.getVolatile(line, SIZE);
  }

  /** Whether something must be evicted. Exact only while nothing is being added or removed. */
  boolean isOverfull() {
    return size() > maximumEntries || (weighted && weight.get() > maximumWeight);
  }

  /** What the nodes weigh together; if they are not weighed, their number. */
  long weight() {
    int size = size();
    return weighted ? weight.get() : size;
  }

  /** The node weighs this from now on. For the node's owner, so that the last write counts. */
  void weigh(Node<K, V> node, int newWeight) {
    if (!weighted) {
      return;
    }
    lock();
    try {
      repairLocked();
      if (heap.has(node)) {
        addWeightLocked((long) newWeight - node.weight);
      }
      node.weight = newWeight;
      unlock();
    } catch (Throwable thrown) {
      damaged = true;
      line[LOCK] = 0;
      throw thrown;
    }
  }

  /** Adds a node, unless it is here or has died since its owner let go of it. */
  void add(Node<K, V> node) {
    lock();
    try {
      repairLocked();
      addLocked(node);
      unlock();
    } catch (Throwable thrown) {
      damaged = true;
      line[LOCK] = 0;
      throw thrown;
    }
  }

  /** As {@link #add}, in one step. */
  void addAll(List<Node<K, V>> nodes) {
    lock();
    try {
      repairLocked();
      for (Node<K, V> node : nodes) {
        addLocked(node);
      }
      unlock();
    } catch (Throwable thrown) {
      damaged = true;
      line[LOCK] = 0;
      throw thrown;
    }
  }

  /**
   * As {@link #addAll}; of nodes with a stamp below that for which the last node was taken, the
   * first one here is then taken first.
   */
  void arrange(List<Node<K, V>> coldestFirst) {
    lock();
    try {
      repairLocked();
      for (Node<K, V> node : coldestFirst) {
        addLocked(node);
      }
      coldestFirst.forEach(heap::remove);
      coldestFirst.forEach(heap::add);
      unlock();
    } catch (Throwable thrown) {
      damaged = true;
      line[LOCK] = 0;
      throw thrown;
    }
  }

  /**
   * As {@link #add}, and then as {@link #pollOverflow} with nothing taken out, in one step: the
   * whole of it for a write that evicts.
   */
  @Nullable Victim<K, V> addAndPollOverflow(Node<K, V> node) {
    lock();
    try {
      repairLocked();
      Victim<K, V> victim;
      if (weighted || sizeNow() < maximumEntries || node.isDead() || heap.has(node)) {
        addLocked(node);
        victim = pollLocked(0, 0);
      } else {
        heap.add(node);
        victim = coldestLocked(); // one came and one goes: the size stays, and is not written
      }
      unlock();
      return victim;
    } catch (Throwable thrown) {
      damaged = true;
      line[LOCK] = 0;
      throw thrown;
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
      repairLocked();
      if (heap.has(node)) {
        heap.remove(node);
        setSizeLocked(sizeNow() - 1);
        addWeightLocked(-node.weight);
      }
      unlock();
    } catch (Throwable thrown) {
      damaged = true;
      line[LOCK] = 0;
      throw thrown;
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
      repairLocked();
      Victim<K, V> victim = pollLocked(takenOut, weightTakenOut);
      unlock();
      return victim;
    } catch (Throwable thrown) {
      damaged = true;
      line[LOCK] = 0;
      throw thrown;
    }
  }

  private void addLocked(Node<K, V> node) {
    if (!node.isDead() && !heap.has(node)) {
      heap.add(node);
      setSizeLocked(Math.incrementExact(sizeNow()));
      addWeightLocked(node.weight);
    }
  }

  private @Nullable Victim<K, V> pollLocked(int takenOut, long weightTakenOut) {
    int size = sizeNow();
    boolean overfull =
        size + (long) takenOut > maximumEntries || weight.get() + weightTakenOut > maximumWeight;
    if (size == 0 || !overfull) {
      return null;
    }
    setSizeLocked(size - 1);
    Victim<K, V> victim = coldestLocked();
    if (victim != null) {
      addWeightLocked(-victim.weight);
    }
    return victim;
  }

  private @Nullable Victim<K, V> coldestLocked() {
    Node<K, V> node = heap.removeColdest();
    return node == null ? null : new Victim<>(node, heap.floor(), node.weight);
  }

  private void setSizeLocked(int size) {
    INTS.setVolatile(line, SIZE, size);
  }

  private void addWeightLocked(long difference) {
    if (weighted) {
      weight.addAndGet(difference);
    }
  }

  // What is damaged while this walks is seen by the next one. What dies meanwhile is seen here, or
  // its killer sees that it is in the order again: one stores the place, then reads the state, the
  // other one stores the state, then reads the place, both with fences in between. What comes
  // meanwhile is added once more by its writer.
  private void repairLocked() {
    if (!damaged) {
      return;
    }
    damaged = false;
    generation++;
    StampRadixHeap<K, V> fresh = new StampRadixHeap<>(generation);
    int size = 0;
    long weightOfAll = 0;
    for (Node<K, V> node : table) {
      if (node.value() != null && !fresh.has(node)) {
        node.linkToSelf();
        fresh.add(node);
        VarHandle.fullFence();
      }
      if (node.isDead()) {
        table.remove(node);
        if (fresh.has(node)) {
          fresh.remove(node);
        }
      } else if (fresh.has(node)) {
        size++;
        weightOfAll += node.weight;
      }
    }
    heap = fresh;
    setSizeLocked(size);
    weight.set(weighted ? weightOfAll : 0);
  }

  // The compare-and-set is the last call of it: no error comes after it.
  private void lock() {
    for (int turns = 0; !INTS.compareAndSet(line, LOCK, 0, 1); ) {
      while ((int) INTS.getOpaque(line, LOCK) != 0) {
        turns = SpinWait.once(turns);
      }
    }
  }

  // The store is the last call of it.
  private void unlock() {
    INTS.setRelease(line, LOCK, 0);
  }
}
