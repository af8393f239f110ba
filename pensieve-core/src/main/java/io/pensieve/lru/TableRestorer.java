package io.pensieve.lru;

import io.pensieve.annotation.GuardedBy;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * Fills a table from a log by replaying the changes that led to its entries. It appends nothing to
 * the change sink until the end. Then it appends removals of expired entries, and evictions if the
 * bounds have become smaller.
 *
 * <p>Any number of threads may replay changes in any order, until {@link #finish}. For each key the
 * change with the largest version wins.
 */
public final class TableRestorer<K, V> {
  // Why the order does not matter: the largest version wins, for a put and a removal alike, and so
  // does the largest stamp. (A use before a removal has a smaller stamp than any put after it.) A
  // put replayed late must not restore a removed key. So a removal leaves a node without a value in
  // the table, with the version of the removal. So does a use whose put was not replayed yet. These
  // nodes are tombstones, and leave when everything before them was replayed.
  //
  // A node is filled before it enters the table, and changed only under its lock. A dead node
  // leaves the table: the thread then looks the key up again. No thread holds this object's monitor
  // meanwhile.

  // A node enters the eviction order after it got a value, and stays there until it dies. Each
  // thread has its own buffer for data that all threads would write. It holds the new nodes, which
  // enter the order many at a time, and the largest version and stamp. Together the buffers hold
  // back only a small share of the bounds. So the order still sees whether the bounds are exceeded.

  private static final int BUFFER_NODES_MAX = 512;
  private static final int SLOTS_SHARE = 8; // of those are reserved at once
  private static final int BUFFER_SHARE = 64;
  private static final double ESTIMATE_MARGIN = 1 + 1.0 / 16;
  private static final long STAMP_MAX = 1L << 61; // the clock reserves those above

  /**
   * Separates entries that replay puts in their place from entries that were used since.
   *
   * @param lastStamp an entry with a larger stamp was read or written since
   * @param lastVersion an entry with a larger version was written since
   */
  public record ReplayBaseline(long lastStamp, long lastVersion) {}

  private record Tombstone<K, V>(Node<K, V> node, long since) {}

  private final NodeTable<K, V> table;
  private final RecencyClock clock;
  private final EvictionOrder<K, V> order;
  private final RestoredEntries<K, V> entries;
  private final ReplayMemoryLimiter<K, V> memoryLimiter;
  private final int bufferNodesMax;
  private final long bufferWeightMax;
  private final Queue<ThreadBuffer<K, V>> buffers = new ConcurrentLinkedQueue<>();
  private final ThreadLocal<ThreadBuffer<K, V>> buffer = ThreadLocal.withInitial(this::newBuffer);

  @GuardedBy("this")
  private List<Tombstone<K, V>> tombstones =
      new ArrayList<>(); // guarded by this; some have values again

  private static final class ThreadBuffer<K, V> {
    private int[] slots = {}; // reserved for new nodes
    private int slotsLeft;
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
      RestoredEntries<K, V> entries,
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
   * Allows a second pass: the log will ask {@link #needsSecondPass}. So values beyond the bounds
   * may be dropped meanwhile, if this table evicts entries by itself.
   */
  public void allowSecondPass() {
    if (entries.mayEvict()) {
      memoryLimiter.allowSecondPass();
    }
  }

  /**
   * Called after a whole pass: returns whether the log must be replayed again, because values are
   * missing that were dropped.
   */
  public boolean needsSecondPass() {
    completeUpTo(Long.MAX_VALUE);
    buffers.forEach(this::addAll);
    return memoryLimiter.needsSecondPass();
  }

  /**
   * Makes room in the table for so many times as many entries as there are now. Called while no
   * other thread replays, and early: a table that grows beside threads that fill it costs more than
   * its growth. Compiled code has to be compiled again once it meets a bin that moves.
   */
  public void expect(double times) {
    long held = order.size();
    for (ThreadBuffer<K, V> told : buffers) {
      held += told.nodes.size();
    }
    if (!memoryLimiter.isSecondPass()) {
      table.enlarge((long) (held * times * ESTIMATE_MARGIN));
    }
  }

  /** Replays a put. */
  public void put(K key, V value, long expiryMillis, long version, long stamp) {
    if (memoryLimiter.isSecondPass()) {
      memoryLimiter.restoreValue(key, value, version);
      return;
    }
    ThreadBuffer<K, V> own = buffer.get();
    recordMaxima(own, version, stamp);
    while (true) {
      Node<K, V> node = table.get(key);
      if (node == null) {
        Node<K, V> fresh = newNode(own, key, stamp);
        entries.set(fresh, value, expiryMillis, version);
        node = table.putIfAbsent(fresh);
        if (node == null) {
          adopt(own, fresh, true);
          return;
        }
        takeBackSlot(own, fresh);
      }
      if (tryPut(own, node, value, expiryMillis, version, stamp)) {
        return;
      }
    }
  }

  private static void recordMaxima(ThreadBuffer<?, ?> own, long version, long stamp) {
    if (stamp > STAMP_MAX) {
      throw new IllegalArgumentException("a stamp or a sequence beyond 2^61: " + stamp);
    }
    own.lastVersion = Math.max(own.lastVersion, version);
    own.lastStamp = Math.max(own.lastStamp, stamp);
  }

  // A locked node with a slot of its own: so from the beginning, every thread can raise its stamp.
  private Node<K, V> newNode(ThreadBuffer<K, V> own, K key, long stamp) {
    if (own.slotsLeft == 0) {
      int[] reserved = new int[Math.max(1, bufferNodesMax / SLOTS_SHARE)];
      order.reserve(reserved);
      own.slots = reserved;
      own.slotsLeft = reserved.length;
    }
    Node<K, V> node = new Node<>(key, false);
    int slot = own.slots[--own.slotsLeft];
    clock.assign(slot, stamp);
    node.slot(slot);
    return node;
  }

  // Another thread was faster: the node is not used.
  private void takeBackSlot(ThreadBuffer<K, V> own, Node<K, V> node) {
    own.slots[own.slotsLeft++] = node.slot();
  }

  private boolean tryPut(
      ThreadBuffer<K, V> own,
      Node<K, V> node,
      V value,
      long expiryMillis,
      long version,
      long stamp) {
    if (!node.lock(false)) {
      return false;
    }
    if (version > node.version()) {
      entries.set(node, value, expiryMillis, version);
      clock.raise(node.slot(), stamp);
      adopt(own, node, false);
    } else {
      node.unlockAndWake();
    }
    return true;
  }

  // A weigher that throws must not leave the node locked.
  private void adopt(ThreadBuffer<K, V> own, Node<K, V> node, boolean isNew) {
    try {
      own.weight = Capacity.sum(own.weight, entries.adopt(node, isNew));
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

  /** Replays a removal. */
  public void remove(K key, long version) {
    if (memoryLimiter.isSecondPass()) {
      return;
    }
    Node<K, V> node = removeValue(key, version);
    if (node != null) {
      addTombstone(node, version);
    }
  }

  // Returns the node if it has no value now because of this removal.
  private @Nullable Node<K, V> removeValue(K key, long version) {
    Node<K, V> node = lock(key);
    boolean isLatest = version > node.version();
    if (isLatest) {
      node.set(null, Node.NEVER, version);
    }
    node.unlockAndWake();
    return isLatest ? node : null;
  }

  // Returns the node of the key, locked by this thread; creates it if necessary.
  private Node<K, V> lock(K key) {
    ThreadBuffer<K, V> own = buffer.get();
    while (true) {
      Node<K, V> node = table.get(key);
      if (node == null) {
        Node<K, V> fresh = newNode(own, key, 0);
        node = table.putIfAbsent(fresh);
        if (node == null) {
          return fresh;
        }
        takeBackSlot(own, fresh);
      }
      if (node.lock(false)) {
        return node;
      }
    }
  }

  /** Replays a use of the key, if it had a value then. */
  public void touch(K key, long stamp, long sequence) {
    if (memoryLimiter.isSecondPass()) {
      return;
    }
    recordMaxima(buffer.get(), 0, stamp);
    Node<K, V> vacated = stampIfAbsent(key, stamp);
    if (vacated != null) {
      addTombstone(vacated, sequence);
    }
  }

  // Returns the node if it has no value, or none yet.
  private @Nullable Node<K, V> stampIfAbsent(K key, long stamp) {
    Node<K, V> node = lock(key);
    clock.raise(node.slot(), stamp);
    boolean isVacant = node.value() == null;
    node.unlockAndWake();
    return isVacant ? node : null;
  }

  private synchronized void addTombstone(Node<K, V> node, long since) {
    tombstones.add(new Tombstone<>(node, since));
  }

  /** Every change up to this version was replayed: earlier removals may be forgotten. */
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
   * Removes the expired entries, and evicts those beyond the bounds, if the table does that by
   * itself. Called when everything was replayed.
   *
   * @return the baseline for changes after this replay
   */
  public ReplayBaseline finish() {
    completeUpTo(Long.MAX_VALUE);
    long lastStamp = 0;
    long lastVersion = 0;
    for (ThreadBuffer<K, V> told : buffers) {
      addAll(told);
      order.release(told.slots, told.slotsLeft);
      told.slotsLeft = 0;
      lastStamp = Math.max(lastStamp, told.lastStamp);
      lastVersion = Math.max(lastVersion, told.lastVersion);
    }
    buffer.remove(); // for a log that replayed in this thread; the other threads have ended
    memoryLimiter.finish();
    clock.startAfter(lastStamp);
    entries.settle();
    return new ReplayBaseline(lastStamp, lastVersion);
  }
}
