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
final class NodeWriter<K, V> {
  private final NodeTable<K, V> table;
  private final ChangeSink<K, V> sink;
  private final RemovalObserver<K, V> observer;
  private final RecencyClock clock;
  private final EvictionOrder<K, V> order;
  private final ExpiryOrder<K, V> expiries;
  final SortedKeys<K> keys;
  private final ComputingThreads computing;
  private final VersionGenerator versionGenerator = new VersionGenerator();

  /**
   * Dead nodes that an error kept from leaving the table, a list by {@code next}. Best effort: of
   * two that are added at once, one may be lost, and then stays in the table, dead.
   */
  volatile @Nullable Node<K, V> leftOver;

  NodeWriter(
      NodeTable<K, V> table,
      ChangeSink<K, V> sink,
      RemovalObserver<K, V> observer,
      RecencyClock clock,
      EvictionOrder<K, V> order,
      ExpiryOrder<K, V> expiries,
      SortedKeys<K> keys,
      ComputingThreads computing) {
    this.computing = computing;
    this.table = table;
    this.sink = sink;
    this.observer = observer;
    this.clock = clock;
    this.order = order;
    this.expiries = expiries;
    this.keys = keys;
  }

  /** Owns a node that is in no table yet, puts it there, and decides; null if the key is there. */
  @Nullable UpdateResult<V> insert(Node<K, V> fresh, UpdateFunction<V> function) {
    return lockAndDecide(fresh, function, true, false);
  }

  /** Owns the node and decides; null if it is dead, or has expired. */
  @Nullable UpdateResult<V> update(Node<K, V> node, UpdateFunction<V> function) {
    return lockAndDecide(node, function, false, false);
  }

  /** Owns the node and decides, for the table itself; null if it is dead, or being computed. */
  @Nullable UpdateResult<V> updateUnlessComputing(Node<K, V> node, UpdateFunction<V> function) {
    return lockAndDecide(node, function, false, true);
  }

  // To own a node, to decide and to let go of it are one method, whose handler gives back what is
  // owned by stores alone: an error may come at each call, and at the entry of each.
  private @Nullable UpdateResult<V> lockAndDecide(
      Node<K, V> node, UpdateFunction<V> function, boolean fresh, boolean housekeeping) {
    boolean computes = !(function instanceof UpdateDecision || housekeeping);
    ComputingThreads.Slot slot = null;
    boolean locked = fresh; // may be in the table, if an error comes
    try {
      if (fresh) {
        if (table.putIfAbsent(node) != null) {
          return null;
        }
      } else {
        locked = housekeeping ? node.tryLockUnlessComputing() : node.lock(computes);
        if (!locked) {
          return null;
        }
      }
      slot = computes ? computing.enter() : null;
      UpdateResult<V> result = decide(node, function, computes, fresh || housekeeping);
      unlock(node);
      locked = false;
      afterUnlock(node);
      return result;
    } catch (Throwable thrown) {
      if (locked) {
        Node.fence = 0;
        node.state = node.value == null ? Node.DEAD : Node.IDLE;
      }
      try {
        repairAfterError(node, fresh);
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
      if (slot != null) {
        slot.thread = null;
      }
    }
  }

  // Null if the entry has expired, which matters to callers alone.
  private @Nullable UpdateResult<V> decide(
      Node<K, V> node, UpdateFunction<V> function, boolean computes, boolean expiredOrNot) {
    if (!expiredOrNot && expiries.hasExpired(node.expiryMillis())) {
      return null;
    }
    V current = node.value();
    UpdateDecision<V> decision = function.decide(current, current == null ? 0 : node.version());
    UpdateDecision.Action action = decision.action();
    if (computes
        && (action == UpdateDecision.Action.WRITE
            || (action == UpdateDecision.Action.REMOVE && current != null))) {
      node.beginChange();
    }
    if (action == UpdateDecision.Action.WRITE) {
      return write(node, current, decision);
    } else if (action == UpdateDecision.Action.TOUCH) {
      return touch(node, current);
    } else if (action == UpdateDecision.Action.KEEP) {
      return new UpdateResult<>(current, current, node.version(), false);
    }
    return current == null ? UpdateResult.absent() : remove(node, current);
  }

  /** Lets go of the node, which dies if it has no value. To store the state is its last call. */
  void unlock(Node<K, V> node) {
    if (node.value() != null) {
      node.unlock();
    } else {
      node.die();
    }
  }

  /** Owning it no more: takes it out of the table if it has died, and wakes who waits. */
  void afterUnlock(Node<K, V> node) {
    if (node.isDead()) {
      table.remove(node);
    }
    node.wakeWaiters();
  }

  // As leave, where it is not known what has been done. Nothing is done twice. A node that is not
  // fresh is in the order, or with an evictor that passes it over: that counts it, and adds it.
  private void repairAfterError(Node<K, V> node, boolean fresh) {
    afterUnlock(node);
    if (node.isDead()) {
      order.remove(node);
    } else if (fresh) {
      order.add(node);
    }
  }

  /** Takes out of the table, and out of the sorted keys, what errors have left there. */
  void repair() {
    for (Node<K, V> node; (node = leftOver) != null; ) {
      leftOver = node.next == node ? null : node.next;
      node.linkToSelf();
      table.remove(node);
    }
    if (keys.damaged) {
      keys.damaged = false;
      try {
        for (K key : keys.ascending()) {
          removeIfStale(key);
        }
      } catch (Throwable thrown) {
        keys.damaged = true;
        throw thrown;
      }
    }
  }

  // Who enters a key has a node of it in the table meanwhile. So does who takes it out here.
  private void removeIfStale(K key) {
    if (table.get(key) == null) {
      UpdateFunction<V> leaves =
          (current, version) -> {
            if (current == null) {
              keys.undoAdd(key);
            }
            return UpdateDecision.keep();
          };
      lockAndDecide(new Node<>(key, false), leaves, true, true);
    }
  }

  // The life of a value begins when it is written, not when its writer came and had to wait.
  UpdateResult<V> write(Node<K, V> node, @Nullable V current, UpdateDecision<V> decision) {
    V value = decision.value();
    assert value != null : "a decision to write has a value";
    long expiry =
        decision.ttlMillis() == UpdateDecision.SAME_EXPIRY
            ? node.expiryMillis()
            : expiries.expiryMillis(decision);
    int weight = decision.weight();
    Timer<K, V> timer = node.timerFor(expiry);
    long version = recordChange(node, value, expiry);
    try {
      version = version(node, version, true);
      applyWrite(node, value, timer, expiry, weight, version);
      return new UpdateResult<>(current, value, version, true);
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

  private long recordChange(Node<K, V> node, V value, long expiryMillis) {
    if (!keys.isEnabled() || node.value() != null) {
      return sink.put(node.key(), value, expiryMillis);
    }
    try {
      keys.add(node.key());
      return sink.put(node.key(), value, expiryMillis);
    } catch (Throwable refused) {
      try {
        keys.undoAdd(node.key());
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
  long[] recordChange(List<ChangeSink.KeyChange<K, V>> entries, List<K> coming) {
    try {
      coming.forEach(keys::add);
      return sink.applyAtomically(entries);
    } catch (Throwable refused) {
      try {
        coming.forEach(keys::undoAdd);
      } catch (Throwable noRoom) {
        keys.damaged = true;
      }
      throw refused;
    }
  }

  /** The write is in the journal, which gave it this version, or has none. */
  void applyWrite(
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
  long version(Node<K, V> node, long assignedVersion, boolean isWrite) {
    if (assignedVersion != 0) {
      return assignedVersion;
    }
    return isWrite ? versionGenerator.next(node) : versionGenerator.last(node);
  }

  UpdateResult<V> remove(Node<K, V> node, V current) {
    long version = sink.remove(node.key());
    try {
      version = version(node, version, false);
      applyRemoval(node, version);
      return new UpdateResult<>(current, null, version, true);
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

  /** The removal is in the journal. As {@link #applyWrite}. */
  void applyRemoval(Node<K, V> node, long version) {
    keys.remove(node.key());
    node.set(null, node.timer(), Node.NEVER, version);
    expiries.disarm(node);
  }

  UpdateResult<V> touch(Node<K, V> node, @Nullable V current) {
    clock.stamp(node);
    return new UpdateResult<>(current, current, node.version(), false);
  }

  /** Tells of the value that has left by this outcome, if one has. Owning nothing any more. */
  void notifyObserver(K key, UpdateResult<V> result) {
    V previous = result.previous();
    if (result.changed() && previous != null) {
      if (result.value() == null) {
        observer.removed(key, previous);
      } else {
        observer.replaced(key, previous);
      }
    }
  }
}
