package io.pensieve.lru;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * Fills a table with the entries of an earlier life, by folding the changes that led to them. The
 * journal is told nothing, but at the end, of what has expired, and of evictions if the bounds have
 * become smaller.
 *
 * <p>Changes may be told by any number of threads and in any order, until {@link #finish}: of those
 * of one key, that with the largest version counts.
 */
public final class Restoration<K, V> {
  // What commutes: the largest version wins, be it a put or a removal, and so does the largest
  // stamp. (A use from before a removal has a smaller stamp than any put after it.) So that a put
  // that is told late cannot bring a removed key back, a removal leaves a node without a value in
  // the table, its version being that of the removal; and so does a use whose put is not told yet.
  // These nodes are vacant, and leave when everything before them has been told.
  //
  // A node is filled before it gets into the table, and changed by who owns it. A dead one leaves
  // the table: look the key up again. This object's monitor is never held meanwhile.

  // A node gets into the eviction order after it has got a value, and stays there until it dies.
  // What all threads would write is kept by each in a lane of its own: the nodes that are new,
  // which get into the order many at a time, and the largest numbers. Together lanes keep a small
  // share of what the bounds allow from the order, which sees then whether that is exceeded.

  private static final int LANE_NODES_MAX = 512;
  private static final int LANE_SHARE = 64;
  private static final long STAMP_MAX = 1L << 61; // the clock keeps those beyond for itself

  /**
   * What tells an entry that replaying will put in its place from one that has been used since.
   *
   * @param lastStamp an entry with a stamp above this has been read or written since
   * @param lastVersion an entry with a version above this has been written since
   */
  public record Beginning(long lastStamp, long lastVersion) {}

  private record Vacant<K, V>(Node<K, V> node, long since) {}

  /** What the table does with a restored entry. */
  interface Entries<K, V> {
    /**
     * The entry has got a value. Called by its node's owner, perhaps not for the first time.
     *
     * @return what it weighs; 0 if that is not asked for
     */
    int adopt(Node<K, V> node);

    /** The entry has no value, and will not get one. Called by its node's owner. */
    void release(Node<K, V> node);

    /** Whether the entry has expired. */
    boolean isOver(Node<K, V> node);

    /** Evicts an entry, which may be in the order or not, and may be dead. */
    void evict(Node<K, V> node, boolean isTold);

    /** All entries are there: removes those that are over, and those that are too many. */
    void settle();
  }

  private final NodeTable<K, V> table;
  private final UseClock clock;
  private final EvictionOrder<K, V> order;
  private final Entries<K, V> entries;
  private final Surplus<K, V> surplus;
  private final int laneNodes;
  private final long laneWeight;
  private final Queue<Lane<K, V>> lanes = new ConcurrentLinkedQueue<>();
  private final ThreadLocal<Lane<K, V>> lane = ThreadLocal.withInitial(this::newLane);
  private List<Vacant<K, V>> vacant = new ArrayList<>(); // guarded by this; some filled again

  private static final class Lane<K, V> {
    private final List<Node<K, V>> nodes = new ArrayList<>();
    private long weight;
    private long lastStamp;
    private long lastVersion;
  }

  private Lane<K, V> newLane() {
    Lane<K, V> added = new Lane<>();
    lanes.add(added);
    return added;
  }

  Restoration(
      NodeTable<K, V> table,
      UseClock clock,
      EvictionOrder<K, V> order,
      Entries<K, V> entries,
      Bounds<K, V> bounds) {
    this.table = table;
    this.clock = clock;
    this.order = order;
    this.entries = entries;
    this.surplus = new Surplus<>(table, order, entries, bounds);
    this.laneNodes = (int) Math.min(LANE_NODES_MAX, bounds.maximumEntries() / LANE_SHARE);
    this.laneWeight = bounds.maximumWeight() / LANE_SHARE;
  }

  /**
   * The log may be told twice: {@link #again} will be asked. So values may be let go meanwhile, if
   * there are more than the bounds allow.
   */
  public void mayBeToldAgain() {
    surplus.allow();
  }

  /**
   * When everything has been told: whether all of it must be told once more, since values are
   * missing that were let go.
   */
  public boolean again() {
    toldUpTo(Long.MAX_VALUE);
    lanes.forEach(this::addAll);
    return surplus.decide();
  }

  /** The key had this value. */
  public void put(K key, V value, long expiryMillis, long version, long stamp) {
    if (surplus.isBeingFilled()) {
      surplus.fill(key, value, version);
      return;
    }
    note(version, stamp);
    while (true) {
      Node<K, V> node = table.get(key);
      if (node == null) {
        Node<K, V> fresh = new Node<>(key, false);
        fresh.set(value, expiryMillis, version);
        fresh.stamp(stamp);
        node = table.putIfAbsent(fresh);
        if (node == null) {
          adopt(fresh);
          return;
        }
      }
      if (tryPut(node, value, expiryMillis, version, stamp)) {
        return;
      }
    }
  }

  private void note(long version, long stamp) {
    if (stamp > STAMP_MAX) {
      throw new IllegalArgumentException("a stamp or a sequence beyond 2^61: " + stamp);
    }
    Lane<K, V> own = lane.get();
    own.lastVersion = Math.max(own.lastVersion, version);
    own.lastStamp = Math.max(own.lastStamp, stamp);
  }

  private boolean tryPut(Node<K, V> node, V value, long expiryMillis, long version, long stamp) {
    if (!node.own(false)) {
      return false;
    }
    if (version > node.version()) {
      node.set(value, expiryMillis, version);
      node.stamp(Math.max(stamp, node.stamp()));
      adopt(node);
    } else {
      node.disown();
    }
    return true;
  }

  // A weigher that throws must not keep others waiting for the node.
  private void adopt(Node<K, V> node) {
    Lane<K, V> own = lane.get();
    try {
      own.weight += entries.adopt(node);
    } finally {
      node.disown();
    }
    own.nodes.add(node);
    if (own.nodes.size() >= laneNodes || own.weight >= laneWeight) {
      addAll(own);
    }
  }

  private void addAll(Lane<K, V> filled) {
    if (!filled.nodes.isEmpty()) {
      order.addAll(filled.nodes);
      filled.nodes.clear();
      filled.weight = 0;
      surplus.relieve();
    }
  }

  /** The key was removed. */
  public void remove(K key, long version) {
    if (surplus.isBeingFilled()) {
      return;
    }
    Node<K, V> node = vacate(key, version);
    if (node != null) {
      remember(node, version);
    }
  }

  // The node, if it has no value now because of this removal.
  private @Nullable Node<K, V> vacate(K key, long version) {
    Node<K, V> node = own(key);
    boolean isLatest = version > node.version();
    if (isLatest) {
      node.set(null, Node.NEVER, version);
    }
    node.disown();
    return isLatest ? node : null;
  }

  // The node of the key, which may be made for that, and which this thread owns.
  private Node<K, V> own(K key) {
    while (true) {
      Node<K, V> node = table.get(key);
      if (node == null) {
        Node<K, V> fresh = new Node<>(key, false);
        node = table.putIfAbsent(fresh);
        if (node == null) {
          return fresh;
        }
      }
      if (node.own(false)) {
        return node;
      }
    }
  }

  /** The key, if it had a value then, was used. */
  public void use(K key, long stamp, long sequence) {
    if (surplus.isBeingFilled()) {
      return;
    }
    note(0, stamp);
    Node<K, V> vacated = stamped(key, stamp);
    if (vacated != null) {
      remember(vacated, sequence);
    }
  }

  // The node, if it has no value, perhaps not yet.
  private @Nullable Node<K, V> stamped(K key, long stamp) {
    Node<K, V> node = own(key);
    node.stamp(Math.max(stamp, node.stamp()));
    boolean isVacant = node.value() == null;
    node.disown();
    return isVacant ? node : null;
  }

  private synchronized void remember(Node<K, V> node, long since) {
    vacant.add(new Vacant<>(node, since));
  }

  /** Every change up to this version has been told: what was removed before may be forgotten. */
  public void toldUpTo(long version) {
    for (Vacant<K, V> candidate : takeVacant()) {
      if (candidate.since() <= version) {
        bury(candidate.node(), version);
      } else {
        remember(candidate.node(), candidate.since());
      }
    }
  }

  private synchronized List<Vacant<K, V>> takeVacant() {
    if (vacant.isEmpty()) {
      return List.of(); // not the list to which other threads add
    }
    List<Vacant<K, V>> taken = vacant;
    vacant = new ArrayList<>();
    return taken;
  }

  private void bury(Node<K, V> node, long version) {
    if (!node.own(false)) {
      return;
    }
    if (node.value() != null || node.version() > version) {
      node.disown();
      return;
    }
    entries.release(node);
    node.die();
    table.remove(node);
    node.wakeWaiting();
    order.remove(node);
  }

  /**
   * Removes the entries that have expired, and evicts those that the bounds do not allow. When
   * everything has been told.
   *
   * @return where the new life begins
   */
  public Beginning finish() {
    toldUpTo(Long.MAX_VALUE);
    long lastStamp = 0;
    long lastVersion = 0;
    for (Lane<K, V> told : lanes) {
      addAll(told);
      lastStamp = Math.max(lastStamp, told.lastStamp);
      lastVersion = Math.max(lastVersion, told.lastVersion);
    }
    lane.remove(); // of a log that has replayed in this thread; others' threads have ended
    surplus.finish();
    clock.startAfter(lastStamp);
    entries.settle();
    return new Beginning(lastStamp, lastVersion);
  }
}
