package io.pensieve.lru;

import io.pensieve.lru.EvictionOrder.Victim;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * Keeps a log that is replayed from taking more memory than the bounds allow: lets go of the values
 * of the entries used longest ago, and says at the end which of them are needed after all. The log
 * is then told once more, for these.
 *
 * <p>Evictions are in the log, so a log that is replayed with the bounds it was written with never
 * has more live entries than them, but for a few. It has if the bounds have become smaller.
 */
final class ReplayMemoryLimiter<K, V> {
  // Why the result is exact: only the value goes. Key, version, stamp, expiry and weight stay in
  // the node, which is out of the eviction order meanwhile; changes and uses that follow find it.
  // So what would be evicted at the end is known, with or without values: nearly always all that
  // were let go. If others were removed later, some are left, and get their values when the log
  // is told again; the version says which value it was.
  //
  // A node whose value was let go has this object in its place, so that whoever asks whether there
  // is a value learns that there is. Nobody but a restoration sees it: it ends with finish().
  private static final Object DROPPED = new Object();
  private static final Object WANTED = new Object(); // likewise, and is to be told again

  private static final int SLACK_SHARE = 8; // of the bound: writers are beyond it for a moment
  private static final int SLACK_ENTRIES = 8; // or so many, if that is more
  private static final int PRUNED_AT_LEAST = 1024;

  private final NodeTable<K, V> table;
  private final EvictionOrder<K, V> order;
  private final TableRestorer.Entries<K, V> entries;
  private final Capacity<K, V> capacity;
  private final long entriesMax;
  private final long weightMax;
  private volatile boolean allowed;
  private volatile boolean decided;
  private List<Node<K, V>> dropValue = new ArrayList<>(); // guarded by this; some have values again
  private int pruneAt = PRUNED_AT_LEAST; // guarded by this
  // By decide(), if values were let go; coldest first. What has expired or is too heavy is in none.
  private List<Node<K, V>> leaving = List.of();
  private List<Node<K, V>> survivors = List.of();

  ReplayMemoryLimiter(
      NodeTable<K, V> table,
      EvictionOrder<K, V> order,
      TableRestorer.Entries<K, V> entries,
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

  /** From now on values may go: whoever tells the log will ask whether to tell it again. */
  void allowSecondPass() {
    allowed = true;
  }

  /** Lets go of values if there are far too many. */
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

  // What was changed or used since it was chosen goes back into the order.
  private void dropValue(Victim<K, V> victim) {
    Node<K, V> node = victim.node;
    if (!node.lock(false)) {
      return;
    }
    V value = node.value();
    boolean isCold = value != null && node.stamp() <= victim.stamp;
    if (isCold) {
      node.set(placeholder(DROPPED), node.expiryMillis(), node.version());
      recordDropped(node);
    }
    node.unlockAndWake();
    if (!isCold && value != null) {
      order.add(node);
    }
  }

  @SuppressWarnings("unchecked") // never taken for a V: see LET_GO
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

  /** When all has been told: whether it must be told again, since values are missing. */
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

  // What will be left when the coldest are evicted until the bounds hold.
  private void chooseSurvivors() {
    List<Node<K, V>> nodes = hottestFirst();
    int count = 0;
    long weight = 0;
    for (Node<K, V> node : nodes) {
      weight += node.weight;
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
    nodes.sort(Comparator.<Node<K, V>>comparingLong(Node::stamp).reversed());
    return nodes;
  }

  /** Whether the log is being told again. */
  boolean isSecondPass() {
    return decided;
  }

  /** The value of a change that was told before. */
  void restoreValue(K key, V value, long version) {
    Node<K, V> node = table.get(key);
    if (node != null && is(node, WANTED) && node.version() == version) {
      node.set(value, node.expiryMillis(), version);
    }
  }

  /** Evicts what is too much, if values were let go; what is left gets into the order. */
  synchronized void finish() {
    needsSecondPass();
    if (survivors.stream().anyMatch(node -> is(node, WANTED))) {
      throw new IllegalStateException(
          "a log that is told in any order must be told again if asked");
    }
    for (Node<K, V> node : leaving) {
      entries.evict(node, !is(node, DROPPED));
    }
    // Those that have expired, or are too heavy by themselves.
    dropValue.forEach(node -> entries.evict(node, false));
    order.arrange(survivors);
    dropValue.clear();
    leaving = List.of();
    survivors = List.of();
  }
}
