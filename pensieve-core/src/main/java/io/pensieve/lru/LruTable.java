package io.pensieve.lru;

import io.pensieve.lru.EvictionOrder.Victim;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * A bounded hash table that forgets the least recently used entry first, and others when their time
 * is over.
 *
 * <p>From one thread the order of evictions is exactly that of an access-ordered {@link
 * java.util.LinkedHashMap}; from many, {@link RecencyClock} says how near. The bound holds but for
 * the entries that threads are just adding: each writer evicts what it has overflowed before it
 * returns.
 *
 * <p>How it holds together:
 *
 * <ul>
 *   <li>Who owns a key's node decides, tells the journal, and sets version and value. Whoever owns
 *       one waits for no other one; {@link MultiKeyUpdates} alone does, one at a time. A caller's
 *       function that would write to the table, and so own a second node, is refused.
 *   <li>A new node enters the hash table without a value and owned, so that whoever finds it waits
 *       for its first change; if that never comes, the node leaves as it came.
 *   <li>A node dies, then leaves the hash table. Whoever waited for it, or finds it before it has
 *       left, takes it out as well, and looks the key up again.
 *   <li>Order of locks: node, then a bin of the hash table, or the lock of the {@link ExpiryOrder},
 *       or, where entries are weighed, that of the {@link EvictionOrder}, which else is taken with
 *       none held. The one who removes what has expired holds a lock for that before all of these.
 *   <li>An entry that has expired is absent for every reader, by its own time alone. A writer that
 *       comes upon it removes it first, as {@link #expireDue} does, and then goes on without it.
 * </ul>
 *
 * <p>An {@code Error} may come at any call, and leave neither stack nor heap. So what is owned or
 * locked is given back by stores to fields, in the handler of the very method that took it:
 *
 * <ul>
 *   <li>a node, one or several: {@link NodeWriter}, {@link MultiKeyUpdates}, {@link
 *       Node#awaitUnlocked}; if the journal has the change already, the handler makes it visible as
 *       well
 *   <li>a bin of the hash table, and growing: {@link NodeTable}
 *   <li>the lock of the {@link EvictionOrder}: its own methods
 *   <li>the place of a thread that runs a function: {@link NodeWriter}, {@link MultiKeyUpdates}
 *   <li>monitors ({@link ExpiryOrder}, waiting, turns): the virtual machine
 * </ul>
 *
 * What an order may have lost or kept by that is found again in the table: a handler says that the
 * order is damaged, and whoever comes next builds it anew.
 *
 * <p>All operations are O(1) expected and amortized. A single eviction may have to look at many
 * entries: at each that was used since it was last looked at, and at each 64th part of the stamps
 * that are held.
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
  private volatile boolean removing; // while one does
  private final Object expiring = new Object(); // held by the one who removes what has expired

  /**
   * An empty table.
   *
   * @param sink is told of every change before it is visible
   * @param observer is told of every value that leaves the table
   * @param clock tells when entries expire
   * @param alarm is told, quickly and without throwing, of each entry that comes and expires: from
   *     the first one on {@link #expireDue} should be called now and then
   * @param keys has every key, sorted, if that is asked for
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
    this.table = new NodeTable<>(Math.min(capacity.maximumEntries(), Integer.MAX_VALUE));
    this.clock = new RecencyClock(capacity.lruErrorMax());
    this.order = new EvictionOrder<>(capacity, table);
    this.expiries = new ExpiryOrder<>(clock, alarm, table);
    this.keys = keys;
    this.writer =
        new NodeWriter<>(table, sink, observer, this.clock, order, expiries, keys, computing);
    this.evictor = new Evictor<>(order, writer, observer);
    this.joint = new MultiKeyUpdates<>(table, observer, writer, order, expiries, computing);
  }

  /**
   * The entry of a key, or null. It may have no {@link #value}, and is then absent. The order
   * stays: see {@link #touch}.
   */
  public @Nullable Node<K, V> find(Object key) {
    return table.get(key);
  }

  /** The value of an entry, unless it has none, or has expired: null. */
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
      // Written meanwhile: the new value may have come before the old one's time was over.
    }
  }

  /** The parts of an entry, read together, unless it has no value, or has expired: null. */
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

  /** Makes an entry the most recently used one. */
  public void touch(Node<K, V> node) {
    clock.stamp(node);
  }

  /**
   * How many entries there are, those that have expired not among them; an estimate while other
   * threads write. O(n) while an entry waits to be removed because its time is over.
   */
  public long size() {
    // In this order: what is taken out of the expiries is removed, or put back, before `removing`
    // ends.
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

  /** What the entries weigh together, under the same terms as {@link #size}. */
  public long weight() {
    return order.weight();
  }

  /** The entries in no order, weakly consistent. Some may die, and lose their values, meanwhile. */
  @Override
  public NodeIterator<K, V> iterator() {
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
      if (stamp > settled && RecencyClock.isOfSoleThread(stamp)) {
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

  /** As {@link #coldestFirst}, the other way round. */
  public List<Node<K, V>> hottestFirst() {
    List<Node<K, V>> nodes = new ArrayList<>(coldestFirst());
    Collections.reverse(nodes);
    return nodes;
  }

  /**
   * Refuses to go on if this thread is running a caller's function for this table. Such a function
   * owns its key: if it wrote to another one, or waited for a function, two of them could wait for
   * each other for ever.
   *
   * @throws IllegalStateException if so
   */
  public void checkNotWithinFunction() {
    if (computing.includesCurrent()) {
      throw new IllegalStateException(
          "recursive update: a function that is computing a value must not write to its map");
    }
  }

  /**
   * Decides what becomes of a key, present or absent, and does it.
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
   * Decides what becomes of several keys, present or absent, and does it as one: the journal is
   * told of all changes together, and nobody else changes one of these keys meanwhile. One such
   * decision at a time; others wait. A plain reader may for a moment see some of the keys as they
   * are afterwards, and others as they were.
   *
   * @param keys no two of them equal
   * @return for each key the version of its change, or if it was not changed, that of its entry; 0
   *     for a key that was not there and still is not
   * @throws IllegalStateException as {@link #update}
   */
  public long[] updateAll(List<K> keys, MultiKeyUpdateFunction<V> maker) {
    checkNotWithinFunction();
    MultiKeyUpdates.MultiKeyResult<K, V> multiKeyResult;
    try {
      multiKeyResult = joint.update(keys, maker);
    } catch (Throwable thrown) {
      evictor.evictOverflowAfter(thrown); // others may have left theirs, or all was done
      throw thrown;
    }
    try {
      evictor.evictOverflow();
    } finally {
      joint.notifyObserver(multiKeyResult);
    }
    return multiKeyResult.versions();
  }

  // Null if another thread was faster: look again.
  private @Nullable UpdateResult<V> insert(K key, UpdateFunction<V> function) {
    Node<K, V> node = new Node<>(key, !(function instanceof UpdateDecision));
    UpdateResult<V> result;
    try {
      result = writer.insert(node, function);
    } catch (Throwable thrown) {
      evictAfter(function, thrown);
      throw thrown;
    }
    try {
      if (result != null && result.value() != null) {
        evictor.addAndEvict(node);
      }
    } catch (Throwable thrown) {
      if (node.state != Node.DEAD && node.bucket < 0) {
        order.damaged = true;
      }
      throw thrown;
    }
    if (writer.leftOver != null || keys.damaged) {
      repair();
    }
    return result;
  }

  // Null if the node was dead already, or has expired, and is dead now: look again.
  private @Nullable UpdateResult<V> change(Node<K, V> node, UpdateFunction<V> function) {
    UpdateResult<V> result;
    try {
      result = writer.update(node, function);
    } catch (Throwable thrown) {
      evictAfter(function, thrown);
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
      if (node.state == Node.DEAD && node.bucket >= 0) {
        order.damaged = true;
      }
      throw thrown;
    } finally {
      writer.notifyObserver(node.key(), result);
    }
    return result;
  }

  // An evictor may have passed the node over while it was computed, and left its overflow to this
  // thread. After an error the write itself may have been made.
  private void evictAfter(UpdateFunction<V> function, Throwable thrown) {
    if (!(function instanceof UpdateDecision) || thrown instanceof Error) {
      Node.fence = 0; // the node is given back before this thread looks for an overflow
      evictor.evictOverflowAfter(thrown);
    }
  }

  private void repair() {
    try {
      writer.repair();
    } catch (Throwable stillThere) {
      // Whoever inserts next does it. The caller's own write has been made.
    }
  }

  /**
   * Removes all entries whose time is over, but for those that a caller's function is deciding
   * about: they are left for the next call. One thread at a time does it; another one waits.
   */
  public void expireDue() {
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
      } catch (Throwable thrown) { // perhaps the journal has refused
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

  private void putBack(List<Timer<K, V>> timers) {
    for (Timer<K, V> timer : timers) {
      expiries.putBack(timer);
    }
  }

  // Looks again as its owner, for it may have been written meanwhile. False if it was not owned.
  private boolean expire(Node<K, V> node, long now) {
    UpdateResult<V> result =
        writer.updateUnlessComputing(node, new RemoveIfExpired<>(node, now, expiries));
    if (result == null) {
      return false;
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

  private record RemoveIfExpired<K, V>(Node<K, V> node, long now, ExpiryOrder<K, V> expiries)
      implements UpdateFunction<V> {
    @Override
    public UpdateDecision<V> decide(@Nullable V current, long version) {
      if (current != null && node.expiryMillis() <= now) {
        return UpdateDecision.remove();
      }
      expiries.armAgain(node);
      return UpdateDecision.keep();
    }
  }

  /** Gives the table the entries that a log remembers. Before the table is used by anyone else. */
  public TableRestorer<K, V> restore() {
    table.growBeyond();
    return new TableRestorer<>(table, clock, order, new RestoredEntries(), capacity);
  }

  private final class RestoredEntries implements TableRestorer.Entries<K, V> {
    @Override
    public int adopt(Node<K, V> node) {
      V value = node.value();
      assert value != null : "an adopted entry has a value";
      expiries.arm(node);
      if (!capacity.isWeighted()) {
        return 0;
      }
      int weight = capacity.weigher().applyAsInt(node.key(), value);
      order.weigh(node, weight);
      return weight;
    }

    @Override
    public boolean hasExpired(Node<K, V> node) {
      return expiries.hasExpired(node.expiryMillis());
    }

    @Override
    public void evict(Node<K, V> node, boolean isTold) {
      UpdateResult<V> result =
          writer.updateUnlessComputing(node, new Victim<>(node, node.stamp(), node.weight));
      if (result != null && result.changed()) {
        order.remove(node);
        V evicted = result.previous();
        if (isTold && evicted != null) {
          observer.evicted(node.key(), evicted);
        }
      }
    }

    @Override
    public void release(Node<K, V> node) {
      expiries.disarm(node);
    }

    @Override
    public void settle() {
      expireDue();
      if (capacity.isWeighted()) {
        evictor.evictTooHeavy(table, capacity.maximumWeight());
      }
      evictor.evictOverflow();
      table.fit();
      keys.fill(table);
    }
  }
}
