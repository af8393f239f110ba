package io.pensieve.lru;

import io.pensieve.lru.EvictionOrder.Victim;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * A bounded hash table that forgets the least recently used entry first.
 *
 * <p>From one thread the order of evictions is exactly that of an access-ordered {@link
 * java.util.LinkedHashMap}; from many, {@link UseClock} says how near. The bound holds but for the
 * entries that threads are just adding: each writer evicts what it has overflowed before it
 * returns.
 *
 * <p>How it holds together:
 *
 * <ul>
 *   <li>Who owns a key's node decides, tells the journal, and sets version and value. Nothing spans
 *       two keys.
 *   <li>A new node enters the hash table without a value and owned, so that whoever finds it waits
 *       for its first change; if that never comes, the node leaves as it came.
 *   <li>A node dies, then leaves the hash table. Whoever waited for it, or finds it before it has
 *       left, takes it out as well, and looks the key up again.
 *   <li>Order of locks: node, then a bin of the hash table. The lock of the eviction order is taken
 *       with neither held.
 * </ul>
 *
 * <p>All operations are O(1) expected and amortized. A single eviction may have to look at many
 * entries: at each that was used since it was last looked at, and at each 64th part of the stamps
 * that are held.
 */
public final class LruTable<K, V> implements Iterable<Node<K, V>> {
  // If several threads use the table, 1/128 of its entries may be taken for hotter than another one
  // wrongly.
  private static final long TOLERANCE_SHARE = 128;

  private final NodeTable<K, V> table;
  private final Journal<K, V> journal;
  private final UseClock clock;
  private final Versions versions = new Versions();
  private final EvictionOrder<K, V> order;

  /**
   * An empty table.
   *
   * @param maximumEntries the bound, at least 1
   * @param journal is told of every change before it is visible
   */
  public LruTable(long maximumEntries, Journal<K, V> journal) {
    this.journal = journal;
    this.table = new NodeTable<>(maximumEntries);
    this.clock = new UseClock(maximumEntries / TOLERANCE_SHARE);
    this.order = new EvictionOrder<>(maximumEntries);
  }

  /**
   * The entry of a key, or null. It may have no value, and is then absent. The order stays: see
   * {@link #touch}.
   */
  public @Nullable Node<K, V> find(Object key) {
    return table.get(key);
  }

  /** Makes an entry the most recently used one. */
  public void touch(Node<K, V> node) {
    clock.stamp(node);
  }

  /** How many entries there are; an estimate while other threads write. */
  public long size() {
    return order.size();
  }

  /** The entries in no order, weakly consistent. Some may die, and lose their values, meanwhile. */
  @Override
  public Iterator<Node<K, V>> iterator() {
    return table.iterator();
  }

  /**
   * A stamp up to which the order is settled: whoever calls {@link #coldestFirst} afterwards sees
   * every use with a stamp up to this one, and every change made before such a use is in the
   * journal. The latest that is found among those that a sole thread gave; stamps that are given by
   * several threads may be stored late, and so settle nothing.
   */
  public long settledStamp() {
    long settled = 0;
    for (Node<K, V> node : table) {
      long stamp = node.stampAcquire();
      if (stamp > settled && UseClock.isOfSoleThread(stamp)) {
        settled = stamp;
      }
    }
    return settled;
  }

  /** The entries as they are now, those that were used longest ago first. */
  public List<Node<K, V>> coldestFirst() {
    record Stamped<K, V>(long stamp, Node<K, V> node) {}
    return StreamSupport.stream(table.spliterator(), false)
        .map(node -> new Stamped<>(node.stamp(), node))
        .sorted(Comparator.comparingLong(Stamped::stamp))
        .map(Stamped::node)
        .toList();
  }

  /**
   * Decides what becomes of a key, present or absent, and does it.
   *
   * @throws IllegalStateException if called for a key from within its own decision
   */
  public Outcome<V> update(K key, Maker<V> maker) {
    for (; ; ) {
      Node<K, V> node = table.get(key);
      Outcome<V> outcome = node == null ? insert(key, maker) : change(node, maker);
      if (outcome != null) {
        return outcome;
      }
    }
  }

  /** As {@link #update}, for decisions that only matter if the key is present. */
  public Outcome<V> updatePresent(K key, Maker<V> maker) {
    for (Node<K, V> node; (node = table.get(key)) != null; ) {
      Outcome<V> outcome = change(node, maker);
      if (outcome != null) {
        return outcome;
      }
    }
    return Outcome.absent();
  }

  // Null if another thread was faster: look again.
  private @Nullable Outcome<V> insert(K key, Maker<V> maker) {
    boolean computing = !(maker instanceof Decision);
    Node<K, V> node = new Node<>(key, computing);
    Outcome<V> outcome;
    if (computing) {
      synchronized (node) {
        outcome = table.putIfAbsent(node) == null ? decide(node, maker) : null;
      }
    } else {
      outcome = table.putIfAbsent(node) == null ? decide(node, maker) : null;
    }
    if (outcome != null && outcome.value() != null) {
      Victim<K, V> victim = order.addAndPollOverflow(node);
      if (victim != null) {
        evict(victim);
      }
      evictOverflow();
    }
    return outcome;
  }

  // Null if the node was dead already: look again.
  private @Nullable Outcome<V> change(Node<K, V> node, Maker<V> maker) {
    Outcome<V> outcome;
    if (maker instanceof Decision) {
      outcome = node.own(false) ? decide(node, maker) : null;
    } else {
      synchronized (node) {
        outcome = node.own(true) ? decide(node, maker) : null;
      }
    }
    if (outcome == null) {
      table.remove(node);
      return null;
    }
    if (outcome.value() == null) {
      order.remove(node);
    }
    evictOverflow();
    return outcome;
  }

  // As the node's owner; afterwards it is disowned, or dead.
  private Outcome<V> decide(Node<K, V> node, Maker<V> maker) {
    try {
      V current = node.value();
      Decision<V> decision = maker.decide(current);
      V value = decision.value();
      return switch (decision.act()) {
        case WRITE -> write(node, current, value);
        case REMOVE -> current == null ? Outcome.absent() : remove(node, current);
        case USE -> use(node, current);
        case KEEP -> new Outcome<>(current, current, node.version(), false);
      };
    } finally {
      end(node);
    }
  }

  private Outcome<V> write(Node<K, V> node, @Nullable V current, @Nullable V value) {
    assert value != null : "a decision to write has a value";
    long given = journal.put(node.key(), value);
    long version = given == 0 ? versions.next(node) : given;
    clock.stamp(node);
    node.set(value, Node.NEVER, version);
    return new Outcome<>(current, value, version, true);
  }

  private Outcome<V> remove(Node<K, V> node, V current) {
    long given = journal.remove(node.key());
    long version = given == 0 ? versions.last(node) : given;
    node.set(null, Node.NEVER, version);
    return new Outcome<>(current, null, version, true);
  }

  private Outcome<V> use(Node<K, V> node, @Nullable V current) {
    clock.stamp(node);
    return new Outcome<>(current, current, node.version(), false);
  }

  private void end(Node<K, V> node) {
    if (node.value() != null) {
      node.disown();
    } else {
      node.die();
      table.remove(node);
      node.wakeWaiting();
    }
  }

  /**
   * Evicts until the bound holds. A victim that was used after it was chosen stays, and another one
   * goes. If the journal fails, the victim stays, and so does the overflow.
   *
   * <p>Entries that a caller's function is deciding about are passed over, because it may take as
   * long as it likes. Their overflow is not forgotten: this thread writes the order's size and then
   * reads the node's state, and the thread that decides writes the state and then reads the size,
   * all four of them volatile. So this thread sees that the decision is over, and tries again, or
   * the other one sees the overflow. (If the decision was to remove, both take the order's monitor,
   * and whoever is second sees what the first did.) Plain writes are not passed over, but waited
   * for: they hold a node for no longer than the journal takes.
   */
  private void evictOverflow() {
    while (order.isOverfull()) {
      List<Node<K, V>> passedOver = new ArrayList<>(0);
      try {
        evictAround(passedOver);
      } finally {
        passedOver.forEach(order::add);
      }
      // After they are back in order, not before.
      if (passedOver.stream().allMatch(Node::isComputing)) {
        return;
      }
    }
  }

  private void evictAround(List<Node<K, V>> passedOver) {
    for (Victim<K, V> victim; (victim = order.pollOverflow(passedOver.size())) != null; ) {
      if (victim.node().isComputing()) {
        passedOver.add(victim.node());
      } else {
        evict(victim);
      }
    }
  }

  private void evict(Victim<K, V> victim) {
    Node<K, V> node = victim.node();
    try {
      if (node.ownUnlessComputing()) {
        evictOwned(victim);
      }
    } finally {
      if (!node.isDead()) {
        order.add(node);
      }
    }
  }

  private void evictOwned(Victim<K, V> victim) {
    Node<K, V> node = victim.node();
    try {
      V value = node.value();
      if (value != null && node.stamp() <= victim.stamp()) {
        remove(node, value);
      }
    } finally {
      end(node);
    }
  }

  /** Gives the table the entries that a log remembers. Before the table is used by anyone else. */
  public Restoration<K, V> restore() {
    return new Restoration<>(table, clock, order, this::evictOverflow);
  }
}
