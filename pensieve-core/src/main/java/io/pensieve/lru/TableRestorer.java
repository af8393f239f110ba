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
public final class TableRestorer<K, V> {
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

  private static final int BUFFER_NODES_MAX = 512;
  private static final int BUFFER_SHARE = 64;
  private static final long STAMP_MAX = 1L << 61; // the clock keeps those beyond for itself

  /**
   * What tells an entry that replaying will put in its place from one that has been used since.
   *
   * @param lastStamp an entry with a stamp above this has been read or written since
   * @param lastVersion an entry with a version above this has been written since
   */
  public record ReplayBaseline(long lastStamp, long lastVersion) {}

  private record Tombstone<K, V>(Node<K, V> node, long since) {}

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
    boolean hasExpired(Node<K, V> node);

    /** Evicts an entry, which may be in the order or not, and may be dead. */
    void evict(Node<K, V> node, boolean isTold);

    /** All entries are there: removes those that are over, and those that are too many. */
    void settle();
  }

  private final NodeTable<K, V> table;
  private final RecencyClock clock;
  private final EvictionOrder<K, V> order;
  private final Entries<K, V> entries;
  private final ReplayMemoryLimiter<K, V> memoryLimiter;
  private final int bufferNodesMax;
  private final long bufferWeightMax;
  private final Queue<ThreadBuffer<K, V>> buffers = new ConcurrentLinkedQueue<>();
  private final ThreadLocal<ThreadBuffer<K, V>> buffer = ThreadLocal.withInitial(this::newBuffer);
  private List<Tombstone<K, V>> tombstones =
      new ArrayList<>(); // guarded by this; some filled again

  private static final class ThreadBuffer<K, V> {
    private final List<Node<K, V>> nodes = new ArrayList<>();
    private long weight;
    private long lastStamp;
    private long lastVersion;
  }

  private ThreadBuffer<K, V> newBuffer() {
    ThreadBuffer<K, V> added = new ThreadBuffer<>();
    buffers.add(added);
    return added;
  }

  TableRestorer(
      NodeTable<K, V> table,
      RecencyClock clock,
      EvictionOrder<K, V> order,
      Entries<K, V> entries,
      Capacity<K, V> capacity) {
    this.table = table;
    this.clock = clock;
    this.order = order;
    this.entries = entries;
    this.memoryLimiter = new ReplayMemoryLimiter<>(table, order, entries, capacity);
    this.bufferNodesMax =
        (int) Math.min(BUFFER_NODES_MAX, capacity.maximumEntries() / BUFFER_SHARE);
    this.bufferWeightMax = capacity.maximumWeight() / BUFFER_SHARE;
  }

  /**
   * The log may be told twice: {@link #needsSecondPass} will be asked. So values may be let go
   * meanwhile, if there are more than the bounds allow.
   */
  public void allowSecondPass() {
    memoryLimiter.allowSecondPass();
  }

  /**
   * When everything has been told: whether all of it must be told once more, since values are
   * missing that were let go.
   */
  public boolean needsSecondPass() {
    completeUpTo(Long.MAX_VALUE);
    buffers.forEach(this::addAll);
    return memoryLimiter.needsSecondPass();
  }

  /** The key had this value. */
  public void put(K key, V value, long expiryMillis, long version, long stamp) {
    if (memoryLimiter.isSecondPass()) {
      memoryLimiter.restoreValue(key, value, version);
      return;
    }
    recordMaxima(version, stamp);
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

  private void recordMaxima(long version, long stamp) {
    if (stamp > STAMP_MAX) {
      throw new IllegalArgumentException("a stamp or a sequence beyond 2^61: " + stamp);
    }
    ThreadBuffer<K, V> own = buffer.get();
    own.lastVersion = Math.max(own.lastVersion, version);
    own.lastStamp = Math.max(own.lastStamp, stamp);
  }

  private boolean tryPut(Node<K, V> node, V value, long expiryMillis, long version, long stamp) {
    if (!node.lock(false)) {
      return false;
    }
    if (version > node.version()) {
      node.set(value, expiryMillis, version);
      node.stamp(Math.max(stamp, node.stamp()));
      adopt(node);
    } else {
      node.unlockAndWake();
    }
    return true;
  }

  // A weigher that throws must not keep others waiting for the node.
  private void adopt(Node<K, V> node) {
    ThreadBuffer<K, V> own = buffer.get();
    try {
      own.weight += entries.adopt(node);
    } finally {
      node.unlockAndWake();
    }
    own.nodes.add(node);
    if (own.nodes.size() >= bufferNodesMax || own.weight >= bufferWeightMax) {
      addAll(own);
    }
  }

  private void addAll(ThreadBuffer<K, V> filled) {
    if (!filled.nodes.isEmpty()) {
      order.addAll(filled.nodes);
      filled.nodes.clear();
      filled.weight = 0;
      memoryLimiter.dropExcessValues();
    }
  }

  /** The key was removed. */
  public void remove(K key, long version) {
    if (memoryLimiter.isSecondPass()) {
      return;
    }
    Node<K, V> node = removeValue(key, version);
    if (node != null) {
      addTombstone(node, version);
    }
  }

  // The node, if it has no value now because of this removal.
  private @Nullable Node<K, V> removeValue(K key, long version) {
    Node<K, V> node = lock(key);
    boolean isLatest = version > node.version();
    if (isLatest) {
      node.set(null, Node.NEVER, version);
    }
    node.unlockAndWake();
    return isLatest ? node : null;
  }

  // The node of the key, which may be made for that, and which this thread owns.
  private Node<K, V> lock(K key) {
    while (true) {
      Node<K, V> node = table.get(key);
      if (node == null) {
        Node<K, V> fresh = new Node<>(key, false);
        node = table.putIfAbsent(fresh);
        if (node == null) {
          return fresh;
        }
      }
      if (node.lock(false)) {
        return node;
      }
    }
  }

  /** The key, if it had a value then, was used. */
  public void touch(K key, long stamp, long sequence) {
    if (memoryLimiter.isSecondPass()) {
      return;
    }
    recordMaxima(0, stamp);
    Node<K, V> vacated = stampIfAbsent(key, stamp);
    if (vacated != null) {
      addTombstone(vacated, sequence);
    }
  }

  // The node, if it has no value, perhaps not yet.
  private @Nullable Node<K, V> stampIfAbsent(K key, long stamp) {
    Node<K, V> node = lock(key);
    node.stamp(Math.max(stamp, node.stamp()));
    boolean isVacant = node.value() == null;
    node.unlockAndWake();
    return isVacant ? node : null;
  }

  private synchronized void addTombstone(Node<K, V> node, long since) {
    tombstones.add(new Tombstone<>(node, since));
  }

  /** Every change up to this version has been told: what was removed before may be forgotten. */
  public void completeUpTo(long version) {
    for (Tombstone<K, V> candidate : takeTombstones()) {
      if (candidate.since() <= version) {
        removeTombstone(candidate.node(), version);
      } else {
        addTombstone(candidate.node(), candidate.since());
      }
    }
  }

  private synchronized List<Tombstone<K, V>> takeTombstones() {
    if (tombstones.isEmpty()) {
      return List.of(); // not the list to which other threads add
    }
    List<Tombstone<K, V>> taken = tombstones;
    tombstones = new ArrayList<>();
    return taken;
  }

  private void removeTombstone(Node<K, V> node, long version) {
    if (!node.lock(false)) {
      return;
    }
    if (node.value() != null || node.version() > version) {
      node.unlockAndWake();
      return;
    }
    entries.release(node);
    node.die();
    table.remove(node);
    node.wakeWaiters();
    order.remove(node);
  }

  /**
   * Removes the entries that have expired, and evicts those that the bounds do not allow. When
   * everything has been told.
   *
   * @return where the new life begins
   */
  public ReplayBaseline finish() {
    completeUpTo(Long.MAX_VALUE);
    long lastStamp = 0;
    long lastVersion = 0;
    for (ThreadBuffer<K, V> told : buffers) {
      addAll(told);
      lastStamp = Math.max(lastStamp, told.lastStamp);
      lastVersion = Math.max(lastVersion, told.lastVersion);
    }
    buffer.remove(); // of a log that has replayed in this thread; others' threads have ended
    memoryLimiter.finish();
    clock.startAfter(lastStamp);
    entries.settle();
    return new ReplayBaseline(lastStamp, lastVersion);
  }
}
