package io.pensieve.lru;

/** The table's operations on restored entries. */
final class RestoredEntries<K, V> {
  private final Capacity<K, V> capacity;
  private final NodeTable<K, V> table;
  private final NodeWriter<K, V> writer;
  private final Evictor<K, V> evictor;
  private final EvictionOrder<K, V> order;
  private final ExpiryOrder<K, V> expiries;
  private final SortedKeys<K> keys;
  private final RemovalObserver<K, V> observer;
  private final Runnable removeDue;

  RestoredEntries(
      Capacity<K, V> capacity,
      NodeTable<K, V> table,
      NodeWriter<K, V> writer,
      Evictor<K, V> evictor,
      EvictionOrder<K, V> order,
      ExpiryOrder<K, V> expiries,
      SortedKeys<K> keys,
      RemovalObserver<K, V> observer,
      Runnable removeDue) {
    this.capacity = capacity;
    this.table = table;
    this.writer = writer;
    this.evictor = evictor;
    this.order = order;
    this.expiries = expiries;
    this.keys = keys;
    this.observer = observer;
    this.removeDue = removeDue;
  }

  /** Gives a locked node its value. */
  void set(Node<K, V> node, V value, long expiryMillis, long version) {
    node.set(value, expiries.timerOfReplay(node, expiryMillis), expiryMillis, version);
  }

  /**
   * The entry has a value. The caller holds the node's lock, and may call this again for the same
   * node.
   *
   * @param isNew whether the caller has just created the node: then it is not in the order, and
   *     nobody can add it before its lock is released
   * @return the weight of the entry; 0 if entries are not weighed
   */
  long adopt(Node<K, V> node, boolean isNew) {
    V value = node.value();
    assert value != null : "an adopted entry has a value";
    keys.check(node.key());
    expiries.arm(node);
    if (!capacity.isWeighted()) {
      return 0;
    }
    long weight = capacity.weigher().applyAsLong(node.key(), value);
    if (isNew) {
      node.weight = weight; // without the order's lock, for which the other threads wait
    } else {
      order.weigh(node, weight);
    }
    return weight;
  }

  /** The entry has no value and will not get one. The caller holds the node's lock. */
  void release(Node<K, V> node) {
    expiries.disarm(node);
  }

  /** Whether the entry has expired. */
  boolean hasExpired(Node<K, V> node) {
    return expiries.hasExpired(node.expiryMillis());
  }

  /** Whether this table evicts entries by itself. */
  boolean mayEvict() {
    return !evictor.suspended;
  }

  /** Evicts an entry, which may be in the order or not, and may be dead. */
  void evict(Node<K, V> node, boolean isTold) {
    UpdateResult<V> result = writer.updateUnlessComputing(node, order.victim(node));
    if (result != null && result.changed()) {
      order.remove(node);
      V evicted = result.previous();
      if (isTold && evicted != null) {
        observer.evicted(node.key(), evicted);
      }
    }
  }

  /**
   * All entries are restored: removes the expired ones, and evicts those beyond the bounds, if this
   * table does that by itself.
   */
  void settle() {
    if (mayEvict()) {
      removeDue.run();
    }
    order.endRestoring();
    table.fit(order.size());
  }
}
