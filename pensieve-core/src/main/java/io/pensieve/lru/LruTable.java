package io.pensieve.lru;

import io.pensieve.lru.EvictionOrder.Victim;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * A bounded hash table that forgets the least recently used entry first, and others when their time
 * is over.
 *
 * <p>From one thread the order of evictions is exactly that of an access-ordered {@link
 * java.util.LinkedHashMap}; from many, {@link UseClock} says how near. The bound holds but for the
 * entries that threads are just adding: each writer evicts what it has overflowed before it
 * returns.
 *
 * <p>How it holds together:
 *
 * <ul>
 *   <li>Who owns a key's node decides, tells the journal, and sets version and value. Whoever owns
 *       one waits for no other one; {@link JointUpdates} alone does, one at a time.
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
 * <p>All operations are O(1) expected and amortized. A single eviction may have to look at many
 * entries: at each that was used since it was last looked at, and at each 64th part of the stamps
 * that are held.
 */
public final class LruTable<K, V> implements Iterable<Node<K, V>> {
  private final NodeTable<K, V> table;
  private final UseClock clock;
  private final EvictionOrder<K, V> order;
  private final ExpiryOrder<K, V> expiries;
  private final SortedKeys<K> keys;
  private final Owner<K, V> owner;
  private final JointUpdates<K, V> joint;
  private final Observer<K, V> observer;
  private final Bounds<K, V> bounds;
  private final Object expiring = new Object(); // held by the one who removes what has expired

  /**
   * An empty table.
   *
   * @param journal is told of every change before it is visible
   * @param observer is told of every value that leaves the table
   * @param clock tells when entries expire
   * @param alarm is told once, when the first entry comes that expires: from then on {@link
   *     #expireDue} should be called now and then
   * @param keys has every key, sorted, if that is asked for
   */
  public LruTable(
      Bounds<K, V> bounds,
      Journal<K, V> journal,
      Observer<K, V> observer,
      InstantSource clock,
      Runnable alarm,
      SortedKeys<K> keys) {
    this.observer = observer;
    this.bounds = bounds;
    this.table = new NodeTable<>(Math.min(bounds.maximumEntries(), Integer.MAX_VALUE));
    this.clock = new UseClock(bounds.tolerance());
    this.order = new EvictionOrder<>(bounds);
    this.expiries = new ExpiryOrder<>(clock, alarm);
    this.keys = keys;
    this.owner = new Owner<>(table, journal, observer, this.clock, order, expiries, keys);
    this.joint = new JointUpdates<>(table, observer, owner, order, expiries);
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
      if (expiry == Node.NEVER || value == null || !expiries.isOver(expiry)) {
        return value;
      }
      if (node.expiryMillis() == expiry) {
        return null;
      }
      // Written meanwhile: the new value may have come before the old one's time was over.
    }
  }

  /** The parts of an entry, read together, unless it has no value, or has expired: null. */
  public Node.@Nullable Reading<V> read(Node<K, V> node) {
    while (true) {
      Node.Reading<V> reading = node.read();
      if (reading == null || !expiries.isOver(reading.expiryMillis())) {
        return reading;
      }
      if (node.version() == reading.version()) {
        return null;
      }
    }
  }

  /** Makes an entry the most recently used one. */
  public void touch(Node<K, V> node) {
    clock.stamp(node);
  }

  /**
   * How many entries there are, with those that have expired and are not removed yet; an estimate
   * while other threads write.
   */
  public long size() {
    return order.size();
  }

  /** What the entries weigh together, under the same terms as {@link #size}. */
  public long weight() {
    return order.weight();
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

  /** As {@link #coldestFirst}, the other way round. */
  public List<Node<K, V>> hottestFirst() {
    List<Node<K, V>> nodes = new ArrayList<>(coldestFirst());
    Collections.reverse(nodes);
    return nodes;
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

  /**
   * Decides what becomes of several keys, present or absent, and does it as one: the journal is
   * told of all changes together, and nobody else changes one of these keys meanwhile. One such
   * decision at a time; others wait. A plain reader may for a moment see some of the keys as they
   * are afterwards, and others as they were.
   *
   * @param keys no two of them equal
   * @return for each key the version of its change, or if it was not changed, that of its entry; 0
   *     for a key that was not there and still is not
   * @throws IllegalStateException if one of the keys is being computed by this very thread
   */
  public long[] updateTogether(List<K> keys, JointMaker<V> maker) {
    JointUpdates.Done<K, V> done = joint.update(keys, maker);
    try {
      evictOverflow();
    } finally {
      joint.tell(done);
    }
    return done.versions();
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

  // Null if the node was dead already, or has expired, and is dead now: look again.
  private @Nullable Outcome<V> change(Node<K, V> node, Maker<V> maker) {
    Outcome<V> outcome;
    if (maker instanceof Decision) {
      outcome = node.own(false) ? decideUnlessOver(node, maker) : null;
    } else {
      synchronized (node) {
        outcome = node.own(true) ? decideUnlessOver(node, maker) : null;
      }
    }
    if (outcome == null) {
      if (node.own(false)) {
        expireOwned(node, expiries.nowMillis());
      } else {
        table.remove(node);
      }
      return null;
    }
    if (outcome.value() == null) {
      order.remove(node);
    }
    try {
      evictOverflow();
    } finally {
      owner.tell(node.key(), outcome);
    }
    return outcome;
  }

  // Null if the entry has expired.
  private @Nullable Outcome<V> decideUnlessOver(Node<K, V> node, Maker<V> maker) {
    if (expiries.isOver(node.expiryMillis())) {
      node.disown();
      return null;
    }
    return decide(node, maker);
  }

  // As the node's owner; afterwards it is disowned, or dead.
  private Outcome<V> decide(Node<K, V> node, Maker<V> maker) {
    try {
      V current = node.value();
      Decision<V> decision = maker.decide(current, current == null ? 0 : node.version());
      return switch (decision.act()) {
        case WRITE -> owner.write(node, current, decision);
        case REMOVE -> current == null ? Outcome.absent() : owner.remove(node, current);
        case USE -> owner.use(node, current);
        case KEEP -> new Outcome<>(current, current, node.version(), false);
      };
    } finally {
      owner.end(node);
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
    long weightPassedOver = 0;
    for (Victim<K, V> victim;
        (victim = order.pollOverflow(passedOver.size(), weightPassedOver)) != null; ) {
      if (victim.node().isComputing()) {
        passedOver.add(victim.node());
        weightPassedOver += victim.weight();
      } else {
        evict(victim);
      }
    }
  }

  private void evict(Victim<K, V> victim) {
    Node<K, V> node = victim.node();
    V evicted = null;
    try {
      if (node.ownUnlessComputing()) {
        evicted = evictOwned(victim);
      }
    } finally {
      if (!node.isDead()) {
        order.add(node);
      }
    }
    if (evicted != null) {
      observer.evicted(node.key(), evicted);
    }
  }

  private @Nullable V evictOwned(Victim<K, V> victim) {
    Node<K, V> node = victim.node();
    try {
      V value = node.value();
      if (value == null || node.stamp() > victim.stamp()) {
        return null;
      }
      owner.remove(node, value);
      return value;
    } finally {
      owner.end(node);
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
      try {
        for (Timer<K, V> timer; (timer = expiries.poll(now)) != null; ) {
          if (timer.node.ownUnlessComputing()) {
            expire(timer, now);
          } else {
            passedOver.add(timer);
          }
        }
      } finally {
        passedOver.forEach(expiries::putBack);
      }
    }
  }

  private void expire(Timer<K, V> timer, long now) {
    try {
      expireOwned(timer.node, now);
    } finally {
      expiries.putBack(timer); // if the journal has refused
    }
  }

  // Looks again, because the node may have been written meanwhile.
  private void expireOwned(Node<K, V> node, long now) {
    V value = node.value();
    boolean over = node.expiryMillis() <= now;
    try {
      if (over && value != null) {
        owner.remove(node, value);
      } else {
        expiries.armAgain(node);
      }
    } finally {
      owner.end(node);
    }
    if (over && value != null) {
      order.remove(node);
      observer.expired(node.key(), value);
    }
  }

  /** Gives the table the entries that a log remembers. Before the table is used by anyone else. */
  public Restoration<K, V> restore() {
    return new Restoration<>(table, clock, order, new RestoredEntries(), bounds);
  }

  private final class RestoredEntries implements Restoration.Entries<K, V> {
    @Override
    public int adopt(Node<K, V> node) {
      V value = node.value();
      assert value != null : "an adopted entry has a value";
      expiries.arm(node);
      if (!bounds.isWeighted()) {
        return 0;
      }
      int weight = bounds.weigher().applyAsInt(node.key(), value);
      order.weigh(node, weight);
      return weight;
    }

    @Override
    public boolean isOver(Node<K, V> node) {
      return expiries.isOver(node.expiryMillis());
    }

    @Override
    public void evict(Node<K, V> node, boolean isTold) {
      V evicted =
          node.own(false) ? evictOwned(new Victim<>(node, node.stamp(), node.weight)) : null;
      if (evicted != null) {
        order.remove(node);
      }
      if (evicted != null && isTold) {
        observer.evicted(node.key(), evicted);
      }
    }

    @Override
    public void release(Node<K, V> node) {
      expiries.disarm(node);
    }

    @Override
    public void settle() {
      expireDue();
      if (bounds.isWeighted()) {
        evictTooHeavy();
      }
      evictOverflow();
      keys.fill(table);
    }
  }

  // An entry that is heavier than all may be together would drive out all others before it went.
  private void evictTooHeavy() {
    for (Node<K, V> node : table) {
      if (node.weight > bounds.maximumWeight()) {
        evict(new Victim<>(node, node.stamp(), node.weight));
        order.remove(node);
      }
    }
  }
}
