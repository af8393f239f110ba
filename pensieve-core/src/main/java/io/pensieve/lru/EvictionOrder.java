package io.pensieve.lru;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the entries to evict. Holds all evictable nodes in LRU order, their number and their
 * weight.
 *
 * <p>A spin lock guards all fields, the queue, and the nodes' positions in it. A thread holds it
 * for a few steps, waits for nothing meanwhile, and runs no caller's code. So spinning is cheap,
 * and the unlock needs no atomic operation. It is acquired with no node's lock held, except where
 * entries are weighed.
 *
 * <p>A node gets a slot when it is first added, and keeps it until it dies. A chosen victim keeps
 * its slot, too: it may come back.
 *
 * <p>If an {@code Error} interrupts those steps, the handler releases the lock by a plain store and
 * marks the order as {@link #damaged}. The next thread that acquires the lock first rebuilds the
 * queue, the size and the weight from the table. Handlers elsewhere also set the mark, when they
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
    final long weight;
    private final RecencyClock clock;

    /** Whether the table is within its bounds when this victim is dead. */
    private boolean sufficient;

    private Victim(Node<K, V> node, long stamp, RecencyClock clock) {
      this.node = node;
      this.stamp = stamp;
      this.weight = node.weight;
      this.clock = clock;
    }

    /** Whether it is dead, and its death leaves no overflow that its evictor caused. */
    boolean ended() {
      return sufficient && node.isDead();
    }

    /** Whether the node was used since it was chosen. */
    boolean wasUsed() {
      return clock.stampOf(node) > stamp;
    }

    @Override
    public UpdateDecision<V> decide(@Nullable V current, long version) {
      return current == null || wasUsed() ? UpdateDecision.keep() : UpdateDecision.remove();
    }
  }

  /**
   * The exact sum of weights. Weights are longs, and a log may have entries of any weight beyond
   * the bound. So the sum may be larger than any long: it has 128 bits. Guarded by the lock.
   */
  private static final class WeightSum {
    private long high;
    private long low; // unsigned
    private volatile long shown; // read without the lock

    /** The sum; {@link Long#MAX_VALUE} if it is larger, which exceeds every bound. */
    long get() {
      return shown;
    }

    void add(long difference) {
      long before = low;
      low = before + difference;
      high += (difference < 0 ? -1 : 0) + (Long.compareUnsigned(low, before) < 0 ? 1 : 0);
      shown = high == 0 && low >= 0 ? low : Long.MAX_VALUE;
    }

    void set(WeightSum other) {
      high = other.high;
      low = other.low;
      shown = other.shown;
    }
  }

  // The lock and the size share two cache lines of their own, because processors fetch lines in
  // pairs.
  private static final int LINE_INTS = 2 * 64 / Integer.BYTES;
  private static final int LOCK = LINE_INTS;
  private static final int SIZE = LINE_INTS + 1;
  private static final int FEW_SLOTS = 1024;
  private static final VarHandle INTS = MethodHandles.arrayElementVarHandle(int[].class);

  /** Whether the order must be rebuilt. Error handlers set it, without a call. */
  volatile boolean damaged;

  private final int[] line = new int[2 * LINE_INTS];
  private final NodeTable<K, V> table;
  final Capacity<K, V> capacity;
  final boolean weighted;
  private final WeightSum weight = new WeightSum(); // stays 0 if entries are not weighed
  private final RecencyClock clock;
  private final Slots<K, V> slots;
  private final VictimSlots<K, V> victims;
  private final ColdestQueue<K, V> queue;
  private int tolerated; // the size that the clock's error follows, if entries are weighed
  private boolean restoring; // then some slots are reserved

  EvictionOrder(Capacity<K, V> capacity, NodeTable<K, V> table, RecencyClock clock) {
    this.table = table;
    this.capacity = capacity;
    this.clock = clock;
    slots = new Slots<>(clock, capacity.maximumEntries());
    victims = new VictimSlots<>(slots);
    queue = new ColdestQueue<>(clock, slots);
    weighted = capacity.isWeighted();
  }

  /** The number of nodes. Exact only while no thread adds or removes one. */
  int size() {
    if (damaged) {
      addAll(List.of());
    }
    return sizeNow();
  }

  /** Lets the hash table grow, if it must, before so many nodes are added to it. */
  void growTable(int added) {
    if (table.mayGrow()) {
      table.growFor((long) sizeNow() + added);
    }
  }

  private int sizeNow() {
    return (int) INTS.getVolatile(line, SIZE);
  }

  /** Whether an eviction is due. Exact only while no thread adds or removes a node. */
  boolean isOverfull() {
    return size() > capacity.maximumEntries()
        || (weighted && weight.get() > capacity.weightToKeep());
  }

  /**
   * The total weight of the nodes, or {@link Long#MAX_VALUE} if it is larger; their number if
   * entries are not weighed.
   */
  long weight() {
    int size = size();
    return weighted ? weight.get() : size;
  }

  /** Sets the weight of a node. The caller holds the node's lock, so nobody else changes it. */
  void weigh(Node<K, V> node, long newWeight) {
    if (!weighted || node.weight == newWeight) {
      return;
    }
    lock();
    try {
      repairLocked();
      if (slots.has(node)) {
        addWeightLocked(newWeight - node.weight);
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
   * Does {@link #add} and then {@link #pollOverflow} with nothing taken out, under one lock. An
   * evicting write needs only this.
   */
  @Nullable Victim<K, V> addAndPollOverflow(Node<K, V> node) {
    lock();
    try {
      repairLocked();
      Victim<K, V> victim;
      if (weighted || sizeNow() != capacity.maximumEntries() || node.isDead() || slots.has(node)) {
        addLocked(node);
        victim = pollLocked(0, 0);
      } else {
        placeLocked(node);
        victim = takeColdestLocked(); // one node in, one node out: the size is not written
        if (victim != null) {
          victim.sufficient = true;
        }
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
      if (slots.has(node)) {
        slots.own(node.slot(), null);
        if (node.position == Node.RETURNED) {
          node.position = Node.LEAVING;
        } else {
          victims.free(node);
        }
        setSizeLocked(sizeNow() - 1);
        addWeightLocked(-node.weight);
      } else if (node.position == Node.OUTSIDE) {
        victims.free(node); // a reserved slot
      }
      victims.freeDecided();
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
    if (!node.isDead() && !slots.has(node)) {
      placeLocked(node);
      setSizeLocked(Math.incrementExact(sizeNow()));
      addWeightLocked(node.weight);
    }
  }

  private @Nullable Victim<K, V> pollLocked(int takenOut, long weightTakenOut) {
    int size = sizeNow();
    boolean overfull =
        size + (long) takenOut > capacity.maximumEntries()
            || Capacity.sum(weight.get(), weightTakenOut) > capacity.weightToKeep();
    if (size == 0 || !overfull) {
      return null;
    }
    setSizeLocked(size - 1);
    Victim<K, V> victim = takeColdestLocked();
    if (victim != null) {
      addWeightLocked(-victim.weight);
    }
    return victim;
  }

  private @Nullable Victim<K, V> takeColdestLocked() {
    Node<K, V> node = queue.removeColdest();
    if (node == null) {
      return null;
    }
    victims.keep(node);
    return new Victim<>(node, queue.polledStamp(), clock);
  }

  /** The time of an entry's last use. */
  long stampOf(Node<K, V> node) {
    return clock.stampOf(node);
  }

  /** An entry as a victim, whatever its stamp. */
  Victim<K, V> victim(Node<K, V> node) {
    return new Victim<>(node, clock.stampOf(node), clock);
  }

  // ---- Slots

  private void placeLocked(Node<K, V> node) {
    int slot = node.slot();
    long stamp;
    if (slot < RecencyClock.FIRST_SLOT) {
      long pending = clock.stampOfPending(slot);
      slot = victims.take();
      stamp = clock.assign(slot, pending);
      node.slot(slot);
    } else {
      stamp = clock.stampAt(slot);
    }
    node.position = node.position == Node.LEAVING ? Node.RETURNED : Node.INSIDE;
    queue.add(node, stamp);
  }

  /** Takes slots for nodes that are not shared yet. */
  void reserve(int[] reserved) {
    lock();
    try {
      repairLocked();
      restoring = true;
      for (int i = 0; i < reserved.length; i++) {
        reserved[i] = victims.take();
      }
      unlock();
    } catch (Throwable thrown) {
      damaged = true;
      line[LOCK] = 0;
      throw thrown;
    }
  }

  /** Gives back slots that were reserved and are not needed. */
  void release(int[] reserved, int count) {
    lock();
    try {
      repairLocked();
      for (int i = 0; i < count; i++) {
        slots.free(reserved[i]);
      }
      unlock();
    } catch (Throwable thrown) {
      damaged = true;
      line[LOCK] = 0;
      throw thrown;
    }
  }

  /** Ends the time in which slots are reserved. If far too many were taken, numbers them anew. */
  void endRestoring() {
    lock();
    try {
      restoring = false;
      int count = slots.end() - RecencyClock.FIRST_SLOT;
      if (damaged || count / 2 > sizeNow() + FEW_SLOTS) {
        damaged = true;
        renumberLocked();
        rebuildLocked();
      }
      unlock();
    } catch (Throwable thrown) {
      damaged = true;
      line[LOCK] = 0;
      throw thrown;
    }
  }

  private void renumberLocked() {
    List<Node<K, V>> nodes = new ArrayList<>();
    table.forEach(nodes::add);
    long[] stamps = new long[nodes.size()];
    for (int i = 0; i < stamps.length; i++) {
      stamps[i] = clock.stampOf(nodes.get(i));
    }
    victims.clear();
    queue.reset();
    clock.dropChunks();
    for (int i = 0; i < stamps.length; i++) {
      int slot = slots.add();
      clock.raise(slot, stamps[i]);
      nodes.get(i).slot(slot);
    }
  }

  // ---- Repairs

  // Not at each change: readers read what the clock tolerates. So that is up to 8/7 of what this
  // size allows, which is less than one per cent.
  private void setSizeLocked(int size) {
    INTS.setVolatile(line, SIZE, size);
    if (weighted && (size > tolerated + tolerated / 4 || size < tolerated - tolerated / 8)) {
      clock.tolerate(capacity.lruErrorMax(size));
      tolerated = size;
    }
  }

  private void addWeightLocked(long difference) {
    if (weighted) {
      weight.add(difference);
    }
  }

  private void repairLocked() {
    if (damaged) {
      rebuildLocked();
    }
  }

  // Damage during this walk is repaired by the next one. A node may die during the walk. Then
  // either this thread sees that it is dead, or the thread that marks it dead sees that it is in
  // the order again. This thread stores the position, then reads the state. The other one stores
  // the state, then reads the position. Both have a fence in between. The writer of a node that is
  // inserted meanwhile adds it once more.
  private void rebuildLocked() {
    damaged = false;
    victims.clear();
    queue.clear();
    int size = 0;
    WeightSum weightOfAll = new WeightSum();
    for (Node<K, V> node : table) {
      node.position = Node.OUTSIDE;
      if (node.value() != null && !slots.has(node)) {
        int slot = node.slot();
        if (slot < RecencyClock.FIRST_SLOT || slots.owner(slot) != null) {
          slot = slots.add();
          clock.assign(slot, clock.stampOf(node));
          node.slot(slot);
        }
        node.position = Node.INSIDE;
        queue.add(node, clock.stampAt(slot));
        VarHandle.fullFence();
      }
      if (node.isDead()) {
        table.remove(node);
        if (slots.has(node)) {
          slots.own(node.slot(), null);
          node.position = Node.OUTSIDE;
        }
      } else if (slots.has(node)) {
        size++;
        weightOfAll.add(weighted ? node.weight : 0);
      }
      if (!restoring && !slots.has(node) && node.slot() >= RecencyClock.FIRST_SLOT) {
        node.slot(0); // it is dead or dying, and its slot is freed below: not again by `remove`
      }
    }
    if (!restoring) {
      slots.freeUnowned();
    }
    setSizeLocked(size);
    weight.set(weightOfAll);
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
