package io.pensieve.lru;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the owner of a node does with it: take it, write it, remove it, use it, let go of it; and
 * whom to tell afterwards.
 *
 * <p>The order of a write: the sorted keys first, so that they have every key that anyone sees, and
 * a key that has no place among them is refused by them alone; then the journal, so that nobody
 * sees what it has not got; then the stamp, so that whoever finds the value finds it used; then
 * value, expiry and version, as {@link Node} says; then the orders of expiry and weight, which may
 * lag behind.
 *
 * <p>If an {@code Error} comes before the journal has the change, nothing has happened. If it comes
 * afterwards, the change is made all the same, by plain stores of what was made ready before, so
 * that the table stays what its journal says; the orders are built anew by who needs them next.
 */
final class Owner<K, V> {
  private final NodeTable<K, V> table;
  private final Journal<K, V> journal;
  private final Observer<K, V> observer;
  private final UseClock clock;
  private final EvictionOrder<K, V> order;
  private final ExpiryOrder<K, V> expiries;
  final SortedKeys<K> keys;
  private final ComputingThreads computing;
  private final Versions versions = new Versions();

  /**
   * Dead nodes that an error kept from leaving the table, a list by {@code next}. Best effort: of
   * two that are added at once, one may be lost, and then stays in the table, dead.
   */
  volatile @Nullable Node<K, V> leftOver;

  Owner(
      NodeTable<K, V> table,
      Journal<K, V> journal,
      Observer<K, V> observer,
      UseClock clock,
      EvictionOrder<K, V> order,
      ExpiryOrder<K, V> expiries,
      SortedKeys<K> keys,
      ComputingThreads computing) {
    this.computing = computing;
    this.table = table;
    this.journal = journal;
    this.observer = observer;
    this.clock = clock;
    this.order = order;
    this.expiries = expiries;
    this.keys = keys;
  }

  /** Owns a node that is in no table yet, puts it there, and decides; null if the key is there. */
  @Nullable Outcome<V> insert(Node<K, V> fresh, Maker<V> maker) {
    return own(fresh, maker, true, false);
  }

  /** Owns the node and decides; null if it is dead, or has expired. */
  @Nullable Outcome<V> change(Node<K, V> node, Maker<V> maker) {
    return own(node, maker, false, false);
  }

  /** Owns the node and decides, for the table itself; null if it is dead, or being computed. */
  @Nullable Outcome<V> changeUnlessComputing(Node<K, V> node, Maker<V> maker) {
    return own(node, maker, false, true);
  }

  // To own a node, to decide and to let go of it are one method, whose handler gives back what is
  // owned by stores alone: an error may come at each call, and at the entry of each.
  private @Nullable Outcome<V> own(
      Node<K, V> node, Maker<V> maker, boolean fresh, boolean housekeeping) {
    boolean computes = !(maker instanceof Decision || housekeeping);
    ComputingThreads.Place place = null;
    boolean owned = fresh; // may be in the table, if an error comes
    try {
      if (fresh) {
        if (table.putIfAbsent(node) != null) {
          return null;
        }
      } else {
        owned = housekeeping ? node.ownUnlessComputing() : node.own(computes);
        if (!owned) {
          return null;
        }
      }
      place = computes ? computing.enter() : null;
      Outcome<V> outcome = decide(node, maker, computes, fresh || housekeeping);
      letGo(node);
      owned = false;
      leave(node);
      return outcome;
    } catch (Throwable thrown) {
      if (owned) {
        Node.fence = 0;
        node.state = node.value == null ? Node.DEAD : Node.IDLE;
      }
      try {
        settle(node, fresh);
      } catch (Throwable noRoom) {
        if (node.state == Node.DEAD && node.bucket < 0) {
          Node<K, V> others = leftOver;
          node.next = others == null ? node : others; // the last one is its own next
          leftOver = node;
        } else if (node.state == Node.DEAD || node.bucket < 0) {
          order.damaged = true;
        }
      }
      throw thrown;
    } finally {
      if (place != null) {
        place.thread = null;
      }
    }
  }

  // Null if the entry has expired, which matters to callers alone.
  private @Nullable Outcome<V> decide(
      Node<K, V> node, Maker<V> maker, boolean computes, boolean expiredOrNot) {
    if (!expiredOrNot && expiries.isOver(node.expiryMillis())) {
      return null;
    }
    V current = node.value();
    Decision<V> decision = maker.decide(current, current == null ? 0 : node.version());
    Decision.Act act = decision.act();
    if (computes
        && (act == Decision.Act.WRITE || (act == Decision.Act.REMOVE && current != null))) {
      node.beginChange();
    }
    if (act == Decision.Act.WRITE) {
      return write(node, current, decision);
    } else if (act == Decision.Act.USE) {
      return use(node, current);
    } else if (act == Decision.Act.KEEP) {
      return new Outcome<>(current, current, node.version(), false);
    }
    return current == null ? Outcome.absent() : remove(node, current);
  }

  /** Lets go of the node, which dies if it has no value. To store the state is its last call. */
  void letGo(Node<K, V> node) {
    if (node.value() != null) {
      node.letGo();
    } else {
      node.die();
    }
  }

  /** Owning it no more: takes it out of the table if it has died, and wakes who waits. */
  void leave(Node<K, V> node) {
    if (node.isDead()) {
      table.remove(node);
    }
    node.wakeWaiting();
  }

  // As leave, where it is not known what has been done. Nothing is done twice. A node that is not
  // fresh is in the order, or with an evictor that passes it over: that counts it, and adds it.
  private void settle(Node<K, V> node, boolean fresh) {
    leave(node);
    if (node.isDead()) {
      order.remove(node);
    } else if (fresh) {
      order.add(node);
    }
  }

  /** Takes out of the table, and out of the sorted keys, what errors have left there. */
  void tidy() {
    for (Node<K, V> node; (node = leftOver) != null; ) {
      leftOver = node.next == node ? null : node.next;
      node.alone();
      table.remove(node);
    }
    if (keys.damaged) {
      keys.damaged = false;
      try {
        for (K key : keys.ascending()) {
          leaveIfStale(key);
        }
      } catch (Throwable thrown) {
        keys.damaged = true;
        throw thrown;
      }
    }
  }

  // Who enters a key has a node of it in the table meanwhile. So does who takes it out here.
  private void leaveIfStale(K key) {
    if (table.get(key) == null) {
      Maker<V> leaves =
          (current, version) -> {
            if (current == null) {
              keys.leaveAgain(key);
            }
            return Decision.keep();
          };
      own(new Node<>(key, false), leaves, true, true);
    }
  }

  // The life of a value begins when it is written, not when its writer came and had to wait.
  Outcome<V> write(Node<K, V> node, @Nullable V current, Decision<V> decision) {
    V value = decision.value();
    assert value != null : "a decision to write has a value";
    long expiry =
        decision.lifeMillis() == Decision.SAME_EXPIRY
            ? node.expiryMillis()
            : expiries.expiryMillis(decision);
    int weight = decision.weight();
    Timer<K, V> timer = node.timerFor(expiry);
    long version = tellJournal(node, value, expiry);
    try {
      version = version(node, version, true);
      written(node, value, timer, expiry, weight, version);
      return new Outcome<>(current, value, version, true);
    } catch (Throwable thrown) {
      if (version != 0) { // without a journal, nothing has been told
        node.version = -version;
        Node.fence = 0;
        node.value = value;
        if (timer != null) {
          timer.expiryMillis = expiry;
          node.timer = timer;
          expiries.damaged = true;
        }
        if (order.weighted) {
          node.weight = weight;
          order.damaged = true;
        }
        Node.fence = 0;
        node.version = version;
      }
      throw thrown;
    }
  }

  private long tellJournal(Node<K, V> node, V value, long expiryMillis) {
    if (!keys.isOn() || node.value() != null) {
      return journal.put(node.key(), value, expiryMillis);
    }
    try {
      keys.enter(node.key());
      return journal.put(node.key(), value, expiryMillis);
    } catch (Throwable refused) {
      try {
        keys.leaveAgain(node.key());
      } catch (Throwable noRoom) {
        keys.damaged = true;
      }
      throw refused;
    }
  }

  /**
   * Tells the journal of several changes, as one.
   *
   * @param coming the keys that had no value and get one
   */
  long[] tellJournal(List<Journal.Entry<K, V>> entries, List<K> coming) {
    try {
      coming.forEach(keys::enter);
      return journal.together(entries);
    } catch (Throwable refused) {
      try {
        coming.forEach(keys::leaveAgain);
      } catch (Throwable noRoom) {
        keys.damaged = true;
      }
      throw refused;
    }
  }

  /** The write is in the journal, which gave it this version, or has none. */
  void written(
      Node<K, V> node,
      V value,
      @Nullable Timer<K, V> timer,
      long expiry,
      int weight,
      long version) {
    clock.stamp(node);
    node.set(value, timer, expiry, version);
    expiries.arm(node);
    order.weigh(node, weight);
  }

  /** The version of a change: that which the journal gave, or if it gives none, the next one. */
  long version(Node<K, V> node, long given, boolean isWrite) {
    if (given != 0) {
      return given;
    }
    return isWrite ? versions.next(node) : versions.last(node);
  }

  Outcome<V> remove(Node<K, V> node, V current) {
    long version = journal.remove(node.key());
    try {
      version = version(node, version, false);
      removed(node, version);
      return new Outcome<>(current, null, version, true);
    } catch (Throwable thrown) {
      if (version != 0) {
        Timer<K, V> timer = node.timer;
        node.version = -version;
        Node.fence = 0;
        node.value = null;
        keys.damaged = true;
        if (timer != null) {
          timer.expiryMillis = Node.NEVER;
          expiries.damaged = true;
        }
        Node.fence = 0;
        node.version = version;
      }
      throw thrown;
    }
  }

  /** The removal is in the journal. As {@link #written}. */
  void removed(Node<K, V> node, long version) {
    keys.leave(node.key());
    node.set(null, node.timer(), Node.NEVER, version);
    expiries.disarm(node);
  }

  Outcome<V> use(Node<K, V> node, @Nullable V current) {
    clock.stamp(node);
    return new Outcome<>(current, current, node.version(), false);
  }

  /** Tells of the value that has left by this outcome, if one has. Owning nothing any more. */
  void tell(K key, Outcome<V> outcome) {
    V previous = outcome.previous();
    if (outcome.changed() && previous != null) {
      if (outcome.value() == null) {
        observer.removed(key, previous);
      } else {
        observer.replaced(key, previous);
      }
    }
  }
}
