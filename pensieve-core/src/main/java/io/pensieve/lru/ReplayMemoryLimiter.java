package io.pensieve.lru;

import io.pensieve.annotation.GuardedBy;
import io.pensieve.lru.EvictionOrder.Victim;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * Limits the memory that replaying a log takes to what the bounds allow. It drops the values of the
 * least recently used entries, and decides at the end which of them are needed after all. A second
 * pass over the log then restores these.
 *
 * <p>Evictions are in the log. So a log replayed with the bounds it was written with has hardly
 * more live entries than these allow. It has more if the bounds have become smaller.
 */
final class ReplayMemoryLimiter<K, V> {
  // Why the result is exact: only the value is dropped. Key, version, stamp, expiry and weight stay
  // in the node. The node leaves the eviction order meanwhile, and later changes and uses still
  // find it. So the entries to evict at the end are known, with or without values. Nearly always
  // these are all those whose values were dropped. If later removals made room, some survive, and
  // get their values in the second pass; the version identifies the value.
  //
  // A node whose value was dropped holds this object instead, so the node still counts as having a
  // value. Only the restorer sees it: none is left after finish().
  private static final Object DROPPED = new Object();
  private static final Object WANTED = new Object(); // likewise, with its value wanted

  private static final int SLACK_SHARE = 8; // of the bound: writers exceed it for a moment
  private static final int SLACK_ENTRIES = 8; // or this many, if that is more
  private static final int PRUNED_AT_LEAST = 1024;

  private final NodeTable<K, V> table;
  private final EvictionOrder<K, V> order;
  private final RestoredEntries<K, V> entries;
  private final Capacity<K, V> capacity;
  private final long entriesMax;
  private final long weightMax;
  private volatile boolean allowed;
  private volatile boolean decided;

  @GuardedBy("this")
  private List<Node<K, V>> dropValue = new ArrayList<>(); // some have values again

  @GuardedBy("this")
  private int pruneAt = PRUNED_AT_LEAST;

  // Set by needsSecondPass() if values were dropped; coldest first. Neither list has expired or too
  // heavy entries.
  private List<Node<K, V>> leaving = List.of();
  private List<Node<K, V>> survivors = List.of();

  ReplayMemoryLimiter(
      NodeTable<K, V> table,
      EvictionOrder<K, V> order,
      RestoredEntries<K, V> entries,
      Capacity<K, V> capacity) {
    this.table = table;
    this.order = order;
    this.entries = entries;
    this.capacity = capacity;
    this.entriesMax = withSlack(capacity.maximumEntries(), SLACK_ENTRIES);
    this.weightMax = withSlack(capacity.maximumWeight(), 0);
  }

  private static long withSlack(long maximum, long atLeast) {
    long slack = Math.max(maximum / SLACK_SHARE, Math.min(maximum, atLeast));
    return Math.min(maximum, Long.MAX_VALUE - slack) + slack;
  }

  /** Allows dropping values: the log will ask whether a second pass is needed. */
  void allowSecondPass() {
    allowed = true;
  }

  /** Drops values if there are far too many. */
  void dropExcessValues() {
    if (!allowed || decided || !isOverLimit()) {
      return;
    }
    for (Victim<K, V> victim; (victim = order.pollOverflow(0, 0)) != null; ) {
      dropValue(victim);
    }
  }

  private boolean isOverLimit() {
    return order.size() > entriesMax || order.weight() > weightMax;
  }

  // A node that was changed or used since it was chosen returns to the order.
  private void dropValue(Victim<K, V> victim) {
    Node<K, V> node = victim.node;
    if (!node.lock(false)) {
      return;
    }
    V value = node.value();
    boolean isCold = value != null && !victim.wasUsed();
    if (isCold) {
      node.set(placeholder(DROPPED), node.expiryMillis(), node.version());
      recordDropped(node);
    }
    node.unlockAndWake();
    if (!isCold && value != null) {
      order.add(node);
    }
  }

  @SuppressWarnings("unchecked") // never used as a V: see DROPPED
  private V placeholder(Object mark) {
    return (V) mark;
  }

  private static boolean is(Node<?, ?> node, Object mark) {
    return node.value() == mark;
  }

  private synchronized void recordDropped(Node<K, V> node) {
    dropValue.add(node);
    if (dropValue.size() >= pruneAt) {
      dropValue.removeIf(known -> !is(known, DROPPED));
      pruneAt = Math.max(PRUNED_AT_LEAST, 2 * dropValue.size());
    }
  }

  /**
   * Called after a whole pass: returns whether a second pass is needed because values are missing.
   */
  synchronized boolean needsSecondPass() {
    boolean isFirst = !decided;
    decided = true;
    dropValue.removeIf(known -> !is(known, DROPPED));
    if (isFirst && !dropValue.isEmpty()) {
      chooseSurvivors();
      dropValue.removeIf(known -> is(known, WANTED));
    }
    return isFirst && survivors.stream().anyMatch(node -> is(node, WANTED));
  }

  // Chooses the entries that remain when the coldest are evicted until the bounds hold.
  private void chooseSurvivors() {
    List<Node<K, V>> nodes = hottestFirst();
    int count = 0;
    long weight = 0;
    for (Node<K, V> node : nodes) {
      weight = Capacity.sum(weight, node.weight);
      if (count == capacity.maximumEntries()
          || (capacity.isWeighted() && weight > capacity.maximumWeight())) {
        break;
      }
      count++;
      if (is(node, DROPPED)) {
        node.set(placeholder(WANTED), node.expiryMillis(), node.version());
      }
    }
    Collections.reverse(nodes);
    leaving = nodes.subList(0, nodes.size() - count);
    survivors = nodes.subList(nodes.size() - count, nodes.size());
  }

  private List<Node<K, V>> hottestFirst() {
    List<Node<K, V>> nodes = new ArrayList<>();
    for (Node<K, V> node : table) {
      boolean isTooHeavy = capacity.isWeighted() && node.weight > capacity.maximumWeight();
      if (node.value() != null && !isTooHeavy && !entries.hasExpired(node)) {
        nodes.add(node);
      }
    }
    nodes.sort(Comparator.<Node<K, V>>comparingLong(order::stampOf).reversed());
    return nodes;
  }

  /** Whether the second pass is running. */
  boolean isSecondPass() {
    return decided;
  }

  /** Restores the value of a change that the first pass already replayed. */
  void restoreValue(K key, V value, long version) {
    Node<K, V> node = table.get(key);
    if (node != null && is(node, WANTED) && node.version() == version) {
      node.set(value, node.expiryMillis(), version);
    }
  }

  /** If values were dropped: evicts the excess entries and adds the rest to the order. */
  synchronized void finish() {
    needsSecondPass();
    if (survivors.stream().anyMatch(node -> is(node, WANTED))) {
      throw new IllegalStateException(
          "a log that is told in any order must be told again if asked");
    }
    for (Node<K, V> node : leaving) {
      entries.evict(node, !is(node, DROPPED));
    }
    // Those that have expired, or are too heavy alone.
    dropValue.forEach(node -> entries.evict(node, false));
    order.addAll(survivors);
    dropValue.clear();
    leaving = List.of();
    survivors = List.of();
  }
}
