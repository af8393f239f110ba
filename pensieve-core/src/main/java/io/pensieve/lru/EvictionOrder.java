package io.pensieve.lru;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the entries to evict. Holds all evictable nodes in LRU order, their number and their
 * weight.
 *
 * <p>A spin lock guards all fields, the heap, and the nodes' positions in it. A thread holds it for
 * a few steps, waits for nothing meanwhile, and runs no caller's code. So spinning is cheap, and
 * the unlock needs no atomic operation. It is acquired with no node's lock held, except where
 * entries are weighed.
 *
 * <p>If an {@code Error} interrupts those steps, the handler releases the lock by a plain store and
 * marks the order as {@link #damaged}. The next thread that acquires the lock first rebuilds the
 * heap, the size and the weight from the table. Handlers elsewhere also set the mark, when they
 * leave a live node out of the order or a dead node in it.
 */
final class EvictionOrder<K, V> {
  /**
   * A node chosen for eviction, with its stamp and weight at that time. If the node has a later
   * stamp now, it was used since and stays.
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

  // The lock and the size share two cache lines of their own, because processors fetch lines in
  // pairs.
  private static final int LINE_INTS = 2 * 64 / Integer.BYTES;
  private static final int LOCK = LINE_INTS;
  private static final int SIZE = LINE_INTS + 1;
  private static final VarHandle INTS = MethodHandles.arrayElementVarHandle(int[].class);

  /** Whether the order must be rebuilt. Error handlers set it, without a call. */
  volatile boolean damaged;

  private final int[] line = new int[2 * LINE_INTS];
  private final NodeTable<K, V> table;
  final Capacity<K, V> capacity;
  final boolean weighted;
  private final AtomicLong weight = new AtomicLong(); // stays 0 if entries are not weighed
  private StampRadixHeap<K, V> heap = new StampRadixHeap<>(0);
  private int generation; // of the newest heap, also of an unfinished one

  EvictionOrder(Capacity<K, V> capacity, NodeTable<K, V> table) {
    this.table = table;
    this.capacity = capacity;
    weighted = capacity.isWeighted();
  }

  /** The number of nodes. Exact only while no thread adds or removes one. */
  int size() {
    if (damaged) {
      addAll(List.of());
    }
    return sizeNow();
  }

  /** As {@link #size}, without a repair. */
  int sizeNow() {
    return (int) INTS.getVolatile(line, SIZE);
  }

  /** Whether an eviction is due. Exact only while no thread adds or removes a node. */
  boolean isOverfull() {
    return size() > capacity.maximumEntries()
        || (weighted && weight.get() > capacity.weightToKeep());
  }

  /** The total weight of the nodes; their number if entries are not weighed. */
  long weight() {
    int size = size();
    return weighted ? weight.get() : size;
  }

  /** Sets the weight of a node. The caller holds the node's lock, so that the last write counts. */
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

  /** Adds a node, unless it is already here or has died since its lock was released. */
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

  /** As {@link #add} for each node, under one lock. */
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
   * As {@link #addAll}. Nodes whose stamp is below the current floor are afterwards taken in the
   * order of this list.
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
   * Does {@link #add} and then {@link #pollOverflow} with nothing taken out, under one lock. An
   * evicting write needs only this.
   */
  @Nullable Victim<K, V> addAndPollOverflow(Node<K, V> node) {
    lock();
    try {
      repairLocked();
      Victim<K, V> victim;
      if (weighted || sizeNow() < capacity.maximumEntries() || node.isDead() || heap.has(node)) {
        addLocked(node);
        victim = pollLocked(0, 0);
      } else {
        heap.add(node);
        victim = coldestLocked(); // one node in, one node out: the size stays, and is not written
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
   * Removes a dead node. Ignores one that was never added: a later {@link #add} will see that it is
   * dead.
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
   * If the number or the weight of the nodes exceeds its bound, removes and returns the least
   * recently used one.
   *
   * @param takenOut the number of nodes that the caller removed but did not evict, and that still
   *     count
   * @param weightTakenOut their total weight
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
        size + (long) takenOut > capacity.maximumEntries()
            || weight.get() + weightTakenOut > capacity.weightToKeep();
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

  // Damage during this walk is repaired by the next one. A node may die during the walk. Then
  // either this thread sees that it is dead, or the thread that marks it dead sees that it is in
  // the order again. This thread stores the position, then reads the state. The other one stores
  // the state, then reads the position. Both have a fence in between. The writer of a node that is
  // inserted meanwhile adds it once more.
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

  // The compare-and-set is the last call: no error can follow it.
  private void lock() {
    for (int turns = 0; !INTS.compareAndSet(line, LOCK, 0, 1); ) {
      while ((int) INTS.getOpaque(line, LOCK) != 0) {
        turns = SpinWait.once(turns);
      }
    }
  }

  // The store is the last call.
  private void unlock() {
    INTS.setRelease(line, LOCK, 0);
  }
}
