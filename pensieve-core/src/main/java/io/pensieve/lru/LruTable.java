package io.pensieve.lru;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A bounded hash table that evicts the least recently used entry first and removes expired entries.
 *
 * <p>With one thread the order of evictions is exactly that of an access-ordered {@link
 * java.util.LinkedHashMap}. With several threads it is approximate; {@link RecencyClock} states the
 * error. The bound holds, but for entries being added: a writer evicts its own overflow at once.
 *
 * <p>Invariants and lock order:
 *
 * <ul>
 *   <li>The thread that holds a node's lock decides, calls the change sink, and sets version and
 *       value. A thread that holds one node's lock waits for no other node. The one exception is
 *       {@link MultiKeyUpdates}, and only one of these runs at a time. A caller's function that
 *       would write to the table, and so lock a second node, is refused.
 *   <li>A new node enters the hash table locked and without a value. A thread that finds it waits
 *       for its first change. If that change fails, the node leaves the table.
 *   <li>A node first becomes dead, then leaves the hash table. A thread that waited for it, or
 *       finds it before it has left, also removes it, and looks the key up again.
 *   <li>Lock order: first the node, then one of three: a bin of the hash table, the lock of the
 *       {@link ExpiryOrder}, or the lock of the {@link EvictionOrder}. The last follows a node's
 *       lock only where entries are weighed; otherwise it is taken with no lock held. The thread
 *       that removes expired entries holds a lock for that before all of these.
 *   <li>An expired entry is absent for every reader; only the entry's own expiry time decides that.
 *       A writer that finds one first removes it, as {@link #expireDue} does.
 * </ul>
 *
 * <p>An {@code Error} can occur at any call and leave neither stack nor heap. So the method that
 * acquired a lock releases it in its own handler, by stores to fields alone:
 *
 * <ul>
 *   <li>a node's lock, or several: {@link NodeWriter}, {@link MultiKeyUpdates}, {@link
 *       Node#awaitUnlocked}; if the change sink already has the change, the handler also makes it
 *       visible
 *   <li>a bin of the hash table, and the right to grow it: {@link NodeTable}
 *   <li>the lock of the {@link EvictionOrder}: its own methods
 *   <li>the slot of a thread that runs a function: {@link NodeWriter}, {@link MultiKeyUpdates}
 *   <li>monitors ({@link ExpiryOrder}, waiting, serialized updates): the virtual machine
 * </ul>
 *
 * An error can also leave an order with a node too many or too few. The handler then marks the
 * order as damaged, and the next user rebuilds it from the table.
 *
 * <p>All operations are O(1) expected and amortized. One eviction may look at all stamps.
 */
public final class LruTable<K, V> implements Iterable<Node<K, V>> {
  private final NodeTable<K, V> table;
  private final RecencyClock clock;
  private final EvictionOrder<K, V> order;
  private final ExpiryOrder<K, V> expiries;
  private final SortedKeys<K> keys;
  private final ComputingThreads computing = new ComputingThreads();
  private final NodeWriter<K, V> writer;
  private final Evictor<K, V> evictor;
  private final MultiKeyUpdates<K, V> joint;
  private final RemovalObserver<K, V> observer;
  private final Capacity<K, V> capacity;
  private final CapacityChange<K, V> capacityChange;
  private volatile boolean removing; // while a thread runs expireDue
  private final Object expiring = new Object(); // held while removing expired entries

  /**
   * Creates an empty table.
   *
   * @param sink receives every change before it is visible
   * @param observer receives every value that leaves the table
   * @param clock the clock that decides expiry
   * @param alarm runs for each new entry that expires; must be fast and must not throw. After the
   *     first call the caller should run {@link #expireDue} regularly
   * @param keys holds every key in sorted order, if enabled
   */
  public LruTable(
      Capacity<K, V> capacity,
      ChangeSink<K, V> sink,
      RemovalObserver<K, V> observer,
      InstantSource clock,
      Runnable alarm,
      SortedKeys<K> keys) {
    ClassInitialization.ensure();
    this.observer = observer;
    this.capacity = capacity;
    this.table = new NodeTable<>(capacity.maximumEntries());
    this.clock = new RecencyClock(capacity.lruErrorMax(0), capacity.maximumEntries());
    this.order = new EvictionOrder<>(capacity, table, this.clock);
    this.expiries = new ExpiryOrder<>(clock, alarm, table);
    this.keys = keys;
    keys.attach(table);
    this.writer =
        new NodeWriter<>(table, sink, observer, this.clock, order, expiries, keys, computing);
    this.evictor = new Evictor<>(order, writer, observer, sink);
    this.joint = new MultiKeyUpdates<>(table, observer, writer, order, expiries, computing);
    this.capacityChange = new CapacityChange<>(capacity, table, this.clock, order, evictor);
  }

  /** Sets the rule for writes without an expiry, and whether to date writes. Before any use. */
  public void expireBy(ExpiryRule<K, V> rule, boolean datesWrites) {
    expiries.rule = rule;
    expiries.datesWrites = datesWrites;
  }

  /** What makes changes that were decided elsewhere; this sink gives them their versions. */
  public ChangeApplier<K, V> applier(ChangeSink<K, V> versions) {
    NodeWriter<K, V> applying =
        new NodeWriter<>(table, versions, observer, clock, order, expiries, keys, computing);
    return new ChangeApplier<>(table, applying, order);
  }

  /** What changes the limits of this table while it is in use. */
  public CapacityChange<K, V> capacityChange() {
    return capacityChange;
  }

  /** From now on starts neither evictions nor removals of expired entries. */
  public void suspendRemovals() {
    evictor.suspended = true;
  }

  /** From now on evicts and removes expired entries again, what is due at once. */
  public void resumeRemovals() {
    evictor.suspended = false;
    removeDue();
  }

  /**
   * Returns the entry of a key, or null. An entry without a {@link #value} is absent. Does not
   * count as a use: see {@link #touch}.
   */
  public @Nullable Node<K, V> find(Object key) {
    return table.get(key);
  }

  /** Returns the value of an entry; null if it has none or has expired. */
  public @Nullable V value(Node<K, V> node) {
    while (true) {
      long expiry = node.expiryMillis();
      V value = node.value();
      if (expiry == Node.NEVER || value == null || !expiries.hasExpired(expiry)) {
        return value;
      }
      if (node.expiryMillis() == expiry) {
        return null;
      }
      // Another thread wrote meanwhile: the new value may have come before the old one expired.
    }
  }

  /** Returns a consistent snapshot of an entry; null if it has no value or has expired. */
  public Node.@Nullable Snapshot<V> read(Node<K, V> node) {
    while (true) {
      Node.Snapshot<V> snapshot = node.read();
      if (snapshot == null || !expiries.hasExpired(snapshot.expiryMillis())) {
        return snapshot;
      }
      if (node.version() == snapshot.version()) {
        return null;
      }
    }
  }

  /**
   * Returns the value of a key, or null, and makes its entry the most recently used one: {@link
   * #find}, {@link #value} and {@link #touch} together.
   */
  public @Nullable V use(Object key) {
    long time = clock.epoch();
    Node<K, V> node = table.get(key);
    if (node == null) {
      return null;
    }
    V value = node.timer() == null ? node.value() : value(node);
    if (value != null) {
      clock.record(node, time);
    }
    return value;
  }

  /** The time for {@link #touch}, taken before a look-up. */
  public long useTime() {
    return clock.epoch();
  }

  /** Makes an entry the most recently used one, at the {@link #useTime} before its look-up. */
  public void touch(Node<K, V> node, long useTime) {
    clock.record(node, useTime);
  }

  /** The time of an entry's last use, by the table's own clock: a larger stamp is a later use. */
  public long stamp(Node<K, V> node) {
    return clock.stampOf(node);
  }

  /**
   * The number of entries without the expired ones; an estimate while other threads write. O(n)
   * while an expired entry awaits its removal.
   */
  public long size() {
    // The order matters: a timer taken from the expiries is removed, or put back, before `removing`
    // becomes false.
    boolean isSettled = !expiries.mayBeDue() && !removing && !expiries.mayBeDue();
    return isSettled ? order.size() : countVisible();
  }

  private long countVisible() {
    long count = 0;
    for (Node<K, V> node : table) {
      count += value(node) == null ? 0 : 1;
    }
    return count;
  }

  /** The total weight of the entries, with the same caveats as {@link #size}. */
  public long weight() {
    return order.weight();
  }

  /**
   * Iterates over the entries in no order, weakly consistent. Entries may die and lose their values
   * meanwhile.
   */
  @Override
  public NodeIterator<K, V> iterator() {
    return table.iterator();
  }

  /**
   * Returns a stamp up to which the order is settled. A later call of {@link #coldestFirst} sees
   * every use with a stamp up to this one. The change sink has every change made before such a use.
   * The result is the largest stamp that a sole thread gave. Several threads may store their stamps
   * late, so their stamps settle nothing.
   */
  public long settledStamp() {
    long settled = 0;
    for (Node<K, V> node : table) {
      long stamp = clock.stampOf(node);
      if (stamp > settled && RecencyClock.isOfSoleThread(stamp)) {
        settled = stamp;
      }
    }
    return settled;
  }

  /** The current entries, the least recently used first. */
  public List<Node<K, V>> coldestFirst() {
    StampSort<K, V> sort = new StampSort<>(order.size());
    for (Node<K, V> node : table) {
      sort.add(node, clock.stampOf(node));
    }
    return sort.ascending();
  }

  /** As {@link #coldestFirst}, in reverse order. */
  public List<Node<K, V>> hottestFirst() {
    List<Node<K, V>> nodes = new ArrayList<>(coldestFirst());
    Collections.reverse(nodes);
    return nodes;
  }

  /**
   * Checks that this thread is not running a caller's function for this table. Such a function
   * holds the lock of its key. If it wrote to another key or waited for a function, two of them
   * could deadlock.
   *
   * @throws IllegalStateException if it is
   */
  public void checkNotWithinFunction() {
    if (computing.includesCurrent()) {
      throw new IllegalStateException(
          "recursive update: a function that is computing a value must not write to its map");
    }
  }

  /**
   * Lets a function decide about a key, present or absent, and applies the decision.
   *
   * @throws IllegalStateException if called from within a decision about any key of this table
   */
  public UpdateResult<V> update(K key, UpdateFunction<V> function) {
    checkNotWithinFunction();
    for (; ; ) {
      Node<K, V> node = table.get(key);
      UpdateResult<V> result = node == null ? insert(key, function) : change(node, function);
      if (result != null) {
        return result;
      }
    }
  }

  /**
   * Puts a value that never expires. For a table that does not weigh its entries: as {@link
   * #update}, but creates nothing where it replaces a value.
   *
   * @return the value before, or null
   */
  public @Nullable V put(K key, V value) {
    checkNotWithinFunction();
    Node<K, V> node = table.get(key);
    V previous = node == null ? null : evictor.replaceAndEvict(node, value);
    return previous == null
        ? update(key, UpdateDecision.write(value, 1, Node.NEVER)).previous()
        : previous;
  }

  /** As {@link #update}, for decisions that only matter if the key is present. */
  public UpdateResult<V> updatePresent(K key, UpdateFunction<V> function) {
    checkNotWithinFunction();
    for (Node<K, V> node; (node = table.get(key)) != null; ) {
      UpdateResult<V> result = change(node, function);
      if (result != null) {
        return result;
      }
    }
    return UpdateResult.absent();
  }

  /**
   * Lets a function decide about several keys, present or absent, and applies the decision
   * atomically. The change sink receives all changes together, and no other thread changes one of
   * these keys meanwhile. Only one such update runs at a time; others wait. For a moment a plain
   * reader may see some keys after the update and others before it.
   *
   * @param keys no two of them equal
   * @return for each key the version of its change; if it was not changed, that of its entry; 0 for
   *     a key that was absent and still is
   * @throws IllegalStateException as {@link #update}
   */
  public long[] updateAll(List<K> keys, MultiKeyUpdateFunction<V> maker) {
    checkNotWithinFunction();
    MultiKeyUpdates.MultiKeyResult<K, V> multiKeyResult;
    try {
      multiKeyResult = joint.update(keys, maker);
    } catch (Throwable thrown) {
      evictor.evictOverflowAfter(thrown); // others may have left their overflow, or all was done
      throw thrown;
    }
    try {
      evictor.evictOverflow();
    } finally {
      joint.notifyObserver(multiKeyResult);
    }
    return multiKeyResult.versions();
  }

  // Returns null if another thread was faster: then look the key up again.
  private @Nullable UpdateResult<V> insert(K key, UpdateFunction<V> function) {
    order.growTable(1);
    Node<K, V> node = new Node<>(key, !(function instanceof UpdateDecision));
    UpdateResult<V> result;
    try {
      result = writer.insert(node, function);
    } catch (Throwable thrown) {
      evictor.evictAfterWrite(!(function instanceof UpdateDecision), thrown);
      throw thrown;
    }
    try {
      if (result != null && result.value() != null) {
        evictor.addAndEvict(node);
      }
    } catch (Throwable thrown) {
      if (node.state != Node.DEAD && (node.position & Node.INSIDE) == 0) {
        order.damaged = true;
      }
      throw thrown;
    }
    if (writer.leftOver || keys.damaged) {
      repair();
    }
    return result;
  }

  // Returns null if the node is dead, or has expired and is dead now: then look the key up again.
  private @Nullable UpdateResult<V> change(Node<K, V> node, UpdateFunction<V> function) {
    UpdateResult<V> result;
    try {
      result = writer.update(node, function);
    } catch (Throwable thrown) {
      evictor.evictAfterWrite(!(function instanceof UpdateDecision), thrown);
      throw thrown;
    }
    if (result == null) {
      if (node.isDead()) {
        table.remove(node);
      } else {
        expire(node, expiries.nowMillis());
      }
      return null;
    }
    try {
      if (result.value() == null) {
        order.remove(node);
      }
      evictor.evictOverflow();
    } catch (Throwable thrown) {
      if (node.state == Node.DEAD && (node.position & Node.INSIDE) != 0) {
        order.damaged = true;
      }
      throw thrown;
    } finally {
      writer.notifyObserver(node.key(), result);
    }
    return result;
  }

  private void repair() {
    try {
      writer.repair();
    } catch (Throwable stillThere) {
      // The next insertion repairs it. The caller's own write has been made.
    }
  }

  /**
   * Removes all expired entries. Skips those that a caller's function is deciding about; the next
   * call removes them. One thread at a time does this; another caller waits.
   */
  public void expireDue() {
    if (evictor.suspended) {
      return;
    }
    synchronized (expiring) {
      long now = expiries.nowMillis();
      List<Timer<K, V>> passedOver = new ArrayList<>(0);
      Timer<K, V> timer = null;
      try {
        removing = true;
        while ((timer = expiries.poll(now)) != null) {
          if (!expire(timer.node, now)) {
            passedOver.add(timer);
          }
        }
        putBack(passedOver);
      } catch (Throwable thrown) { // perhaps the change sink refused the removal
        try {
          if (timer != null) {
            expiries.putBack(timer);
          }
          putBack(passedOver);
        } catch (Throwable noRoom) {
          expiries.damaged = true;
        }
        throw thrown;
      } finally {
        removing = false;
      }
    }
  }

  private void removeDue() {
    expireDue();
    if (capacity.isWeighted()) {
      for (Node<K, V> node : table) {
        evictor.evictIfHeavier(node, capacity.maximumWeight());
      }
    }
    evictor.evictOverflow();
  }

  private void putBack(List<Timer<K, V>> timers) {
    for (Timer<K, V> timer : timers) {
      expiries.putBack(timer);
    }
  }

  // Checks again with the node's lock held, because the node may have been written meanwhile.
  // Returns false if a caller's function holds the lock.
  private boolean expire(Node<K, V> node, long now) {
    UpdateResult<V> result =
        writer.updateUnlessComputing(node, expiries.removalIfExpired(node, now));
    if (result == null) {
      return node.isDead();
    }
    V expired = result.previous();
    if (result.changed() && expired != null) {
      try {
        order.remove(node);
      } catch (Throwable thrown) {
        order.damaged = true;
        throw thrown;
      }
      observer.expired(node.key(), expired);
    }
    return true;
  }

  /** Returns a restorer that fills the table from a log. To be used before the table is shared. */
  public TableRestorer<K, V> restore() {
    table.growBeyond();
    RestoredEntries<K, V> entries =
        new RestoredEntries<>(
            capacity, table, writer, evictor, order, expiries, keys, observer, this::removeDue);
    return new TableRestorer<>(table, clock, order, entries, capacity);
  }
}
