package io.pensieve.lru;

/** The table's operations on restored entries. */
interface RestoredEntries<K, V> {
  /**
   * The entry has a value. The caller holds the node's lock, and may call this again for the same
   * node.
   *
   * @return the weight of the entry; 0 if entries are not weighed
   */
  int adopt(Node<K, V> node);

  /** The entry has no value and will not get one. The caller holds the node's lock. */
  void release(Node<K, V> node);

  /** Whether the entry has expired. */
  boolean hasExpired(Node<K, V> node);

  /** Evicts an entry, which may be in the order or not, and may be dead. */
  void evict(Node<K, V> node, boolean isTold);

  /** All entries are restored: removes the expired ones, and evicts those beyond the bounds. */
  void settle();
}
