package io.pensieve.lru;

/**
 * Changes the limits of a table that is in use. A larger limit applies at once. For a smaller one
 * the calling thread evicts the least recently used entries, as a writer does.
 *
 * <p>A writer evicts its own overflow before it returns. It should not have to evict what a smaller
 * limit makes too many, which may be a million entries. So while {@link Evictor#shrinking} is set,
 * a writer evicts only a few entries, and leaves the others to the thread that set it. Invariant:
 * that thread looks for an overflow once more after it has cleared the field. A writer adds its
 * entry before it reads the field. So an overflow that a writer leaves is always evicted.
 *
 * <p>One thread at a time changes limits; this object's monitor comes before all locks of the
 * table.
 */
public final class CapacityChange<K, V> {
  private static final int STEP = 64; // evictions between two calls of `pause`

  private final Capacity<K, V> capacity;
  private final NodeTable<K, V> table;
  private final RecencyClock clock;
  private final EvictionOrder<K, V> order;
  private final Evictor<K, V> evictor;

  CapacityChange(
      Capacity<K, V> capacity,
      NodeTable<K, V> table,
      RecencyClock clock,
      EvictionOrder<K, V> order,
      Evictor<K, V> evictor) {
    this.capacity = capacity;
    this.table = table;
    this.clock = clock;
    this.order = order;
    this.evictor = evictor;
  }

  /**
   * Sets the maximum number of entries. If it shrinks, evicts the overflow before it returns, or
   * when removals resume if they are suspended. If an eviction fails, the maximum becomes what the
   * table holds by then. Not to be called by a function that computes a value of the table.
   *
   * @param pause called between evictions, with no lock held but this object's monitor
   */
  public synchronized void maximumEntries(long maximum, Runnable pause) {
    try {
      evictor.shrinking = maximum < capacity.maximumEntries();
      capacity.maximumEntries(maximum);
      table.maximumNodes(maximum);
      if (!capacity.isWeighted()) { // else the size decides
        clock.tolerate(capacity.lruErrorMax(order.size()));
      }
      evictOverflow(pause);
    } catch (Throwable refused) {
      capacity.maximumEntries(Math.max(maximum, order.size()));
      throw refused;
    } finally {
      evictor.shrinking = false;
    }
    evictOverflow(pause);
  }

  /**
   * As {@link #maximumEntries}, for the total weight of a table that weighs its entries.
   *
   * <p>An entry heavier than a smaller maximum would displace all others. So first no such entry
   * can be written any more, then those that are there leave, and then the total weight shrinks.
   * This waits for functions that are computing such entries.
   */
  public synchronized void maximumWeight(long maximum, Runnable pause) {
    try {
      evictor.shrinking = maximum < capacity.maximumWeight();
      capacity.maximumWeight(maximum);
      if (evictor.shrinking && !evictor.suspended) {
        evictTooHeavy(maximum, pause);
      }
      capacity.weightToKeep(maximum);
      evictOverflow(pause);
    } catch (Throwable refused) {
      long left = Math.min(Math.max(maximum, order.weight()), Capacity.UNWEIGHTED - 1);
      capacity.weightToKeep(left);
      capacity.maximumWeight(left);
      throw refused;
    } finally {
      evictor.shrinking = false;
    }
    evictOverflow(pause);
  }

  private void evictOverflow(Runnable pause) {
    while (evictor.evictSome(STEP)) {
      pause.run();
    }
  }

  // A writer checks the maximum once it holds the node's lock. So if it has not seen the new one,
  // this thread waits for it; or for the function that decides about an entry that is too heavy.
  private void evictTooHeavy(long maximum, Runnable pause) {
    int evicted = 0;
    for (Node<K, V> node : table) {
      node.awaitUnlocked();
      if (node.weight > maximum) {
        while (!evictor.evictIfHeavier(node, maximum)) {
          node.awaitFunction();
        }
        if (++evicted % STEP == 0) {
          pause.run();
        }
      }
    }
  }
}
