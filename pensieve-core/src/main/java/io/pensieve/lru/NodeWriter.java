package io.pensieve.lru;

import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * Locks a node, applies a decision to it, unlocks it, and afterwards notifies the observer.
 *
 * <p>The steps of a write, in this order:
 *
 * <ol>
 *   <li>The sorted keys: so they contain every visible key, and if they refuse a key, nothing else
 *       has changed.
 *   <li>The change sink: so that no reader sees a change that the sink does not have.
 *   <li>The stamp: so that a reader who finds the value finds it used.
 *   <li>Value, expiry and version, as {@link Node} describes.
 *   <li>The orders of expiry and weight, which may lag behind.
 * </ol>
 *
 * <p>If an {@code Error} occurs before the change sink has the change, nothing has happened. If it
 * occurs later, the handler completes the change by plain stores of values prepared before. So the
 * table always equals what the change sink has received. The next user of the orders rebuilds them.
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

  /** Who changes a node. */
  enum Origin {
    /** A caller of the table, perhaps with a function. An expired entry is absent. */
    CALLER,
    /** The table itself: it does not wait for a function. */
    TABLE,
    /** A change that was made elsewhere: it waits for a function, and changes expired entries. */
    ELSEWHERE
  }

  /** Whether an error may have left dead nodes in the table. Error handlers set it. */
  volatile boolean leftOver;

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

  /** Adds a new, locked node to the table and decides; null if the key is already there. */
  @Nullable UpdateResult<V> insert(Node<K, V> fresh, UpdateFunction<V> function) {
    return lockAndDecide(fresh, function, true, Origin.CALLER);
  }

  /** Locks the node and decides; null if it is dead or has expired. */
  @Nullable UpdateResult<V> update(Node<K, V> node, UpdateFunction<V> function) {
    return lockAndDecide(node, function, false, Origin.CALLER);
  }

  /** Locks the node and decides, for the table itself; null if it is dead or being computed. */
  @Nullable UpdateResult<V> updateUnlessComputing(Node<K, V> node, UpdateFunction<V> function) {
    return lockAndDecide(node, function, false, Origin.TABLE);
  }

  /**
   * Adds a new, locked node for a change that was made elsewhere, as {@link #insert}. The function
   * is quick, and none of a caller's.
   */
  @Nullable UpdateResult<V> insertApplied(Node<K, V> fresh, UpdateFunction<V> function) {
    return lockAndDecide(fresh, function, true, Origin.ELSEWHERE);
  }

  /** Locks the node for a change that was made elsewhere; null if it is dead. */
  @Nullable UpdateResult<V> apply(Node<K, V> node, UpdateFunction<V> function) {
    return lockAndDecide(node, function, false, Origin.ELSEWHERE);
  }

  // Locking a node, deciding and unlocking are one method. Its handler releases the lock by stores
  // alone: an error can occur at each call, and at the entry of each called method.
  private @Nullable UpdateResult<V> lockAndDecide(
      Node<K, V> node, UpdateFunction<V> function, boolean fresh, Origin origin) {
    boolean computes = origin == Origin.CALLER && !(function instanceof UpdateDecision);
    ComputingThreads.Slot slot = null;
    boolean locked = fresh; // the node may be in the table if an error occurs
    try {
      if (fresh) {
        if (table.putIfAbsent(node) != null) {
          return null;
        }
      } else {
        locked = origin == Origin.TABLE ? node.tryLockUnlessComputing() : node.lock(computes);
        if (!locked) {
          return null;
        }
      }
      slot = computes ? computing.enter() : null;
      UpdateResult<V> result = decide(node, function, computes, origin);
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
        if (node.state == Node.DEAD) {
          leftOver = true;
        }
        if ((node.state == Node.DEAD) == ((node.position & Node.INSIDE) != 0)) {
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

  /**
   * Replaces the value of a node by one that never expires, where entries are not weighed: as
   * {@link #update}, but without an object for the decision and one for its result.
   *
   * @return the value before; null if nothing was done, because the node is dead, is being changed,
   *     or has a timer
   */
  // Its handler ends the change and releases the lock by stores alone. An unlocked node that is not
  // dead has a value, and keeps it while it is locked here.
  @Nullable V replaceAtOnce(Node<K, V> node, V value) {
    boolean locked = false;
    long version = 0; // that of the change, once the change sink has it; 0 if there is no log
    try {
      locked = node.tryLock();
      if (!locked) {
        return null;
      }
      V previous = null;
      if (node.timer() == null) {
        previous = node.value();
        version = sink.put(node.key(), value, Node.NEVER);
        version = version(node, version, true);
        clock.record(node);
        node.set(value, null, Node.NEVER, version);
      }
      node.unlock();
      locked = false;
      node.wakeWaiters();
      return previous;
    } catch (Throwable thrown) {
      if (locked) {
        if (version != 0) {
          node.version = -version;
          Node.fence = 0;
          node.value = value;
          Node.fence = 0;
          node.version = version;
        }
        Node.fence = 0;
        node.state = Node.IDLE;
      }
      try {
        node.wakeWaiters();
      } catch (Throwable noRoom) {
        // They look again by themselves.
      }
      throw thrown;
    }
  }

  // Returns null if the entry has expired; only callers' updates check that. The limit of the
  // weight is read after the node's state was stored: see CapacityChange.evictTooHeavy.
  private @Nullable UpdateResult<V> decide(
      Node<K, V> node, UpdateFunction<V> function, boolean computes, Origin origin) {
    if (origin == Origin.CALLER && expiries.hasExpired(node.expiryMillis())) {
      return null;
    }
    V current = node.value();
    UpdateDecision<V> decision = function.decide(current, current == null ? 0 : node.version());
    UpdateDecision.Action action = decision.action();
    if (computes
        && (action.isWrite() || (action == UpdateDecision.Action.REMOVE && current != null))) {
      node.beginChange();
    }
    if (order.weighted && action.isWrite() && action != UpdateDecision.Action.WRITE_UNTIL) {
      order.capacity.checkWeight(decision.weight()); // again: the limit may be lower by now
    }
    if (action.isWrite()) {
      return write(node, current, decision);
    } else if (action == UpdateDecision.Action.TOUCH) {
      return touch(node, current);
    } else if (action == UpdateDecision.Action.KEEP) {
      return new UpdateResult<>(current, current, node.version(), false);
    }
    return current == null ? UpdateResult.absent() : remove(node, current);
  }

  /**
   * Unlocks the node, or marks it dead if it has no value. The store of the state is its last call.
   */
  void unlock(Node<K, V> node) {
    if (node.value() != null) {
      node.unlock();
    } else {
      node.die();
    }
  }

  /** After the unlock: removes a dead node from the table, and wakes the waiters. */
  void afterUnlock(Node<K, V> node) {
    if (node.isDead()) {
      table.remove(node);
    }
    node.wakeWaiters();
  }

  // As afterUnlock, when it is unknown which steps were done. Each step is idempotent. A node that
  // is not fresh is either in the order or held by an evictor that skips it: that evictor counts it
  // and adds it again.
  private void repairAfterError(Node<K, V> node, boolean fresh) {
    afterUnlock(node);
    if (node.isDead()) {
      order.remove(node);
    } else if (fresh) {
      order.add(node);
    }
  }

  /** Removes from the table and from the sorted keys what errors left there. */
  void repair() {
    if (leftOver) {
      leftOver = false;
      try {
        for (Node<K, V> node : table) {
          if (node.isDead()) {
            table.remove(node);
          }
        }
      } catch (Throwable thrown) {
        leftOver = true;
        throw thrown;
      }
    }
    if (keys.damaged) {
      keys.damaged = false;
      try {
        for (K key : keys.kept()) {
          removeIfStale(key);
        }
      } catch (Throwable thrown) {
        keys.damaged = true;
        throw thrown;
      }
    }
  }

  // A thread that adds a key has a node for it in the table meanwhile. So does this removal.
  private void removeIfStale(K key) {
    if (table.get(key) == null) {
      UpdateFunction<V> leaves =
          (current, version) -> {
            if (current == null) {
              keys.undoAdd(key);
            }
            return UpdateDecision.keep();
          };
      lockAndDecide(new Node<>(key, false), leaves, true, Origin.TABLE);
    }
  }

  // The time to live starts when the value is written, not when the writer started to wait for the
  // lock.
  UpdateResult<V> write(Node<K, V> node, @Nullable V current, UpdateDecision<V> decision) {
    V value = decision.value();
    assert value != null : "a decision to write has a value";
    long expiry = expiries.expiryMillis(decision, node, current);
    long weight = decision.weight();
    Timer<K, V> timer = expiries.timerOfWrite(node, expiry);
    long version = recordChange(node, value, expiry);
    try {
      version = version(node, version, true);
      if (decision.action() != UpdateDecision.Action.EXTEND) {
        expiries.date(timer);
      }
      applyWrite(node, value, timer, expiry, weight, version);
      return new UpdateResult<>(current, value, version, true);
    } catch (Throwable thrown) {
      if (version != 0) { // 0: there is no log, so nothing was recorded
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
   * Passes several changes to the change sink, atomically.
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

  /**
   * Makes a write visible. The change sink has it already and gave it this version, or gives none.
   */
  void applyWrite(
      Node<K, V> node,
      V value,
      @Nullable Timer<K, V> timer,
      long expiry,
      long weight,
      long version) {
    clock.record(node);
    node.set(value, timer, expiry, version);
    expiries.arm(node);
    order.weigh(node, weight);
  }

  /** The version of a change: the one the change sink assigned, or else the next one. */
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

  /** Makes a removal visible that the change sink has already, as {@link #applyWrite} does. */
  void applyRemoval(Node<K, V> node, long version) {
    keys.remove(node.key());
    node.set(null, node.timer(), Node.NEVER, version);
    expiries.disarm(node);
  }

  UpdateResult<V> touch(Node<K, V> node, @Nullable V current) {
    clock.record(node);
    return new UpdateResult<>(current, current, node.version(), false);
  }

  /**
   * Notifies the observer of the value that this update removed or replaced, if any. The caller
   * holds no lock.
   */
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

  /**
   * Generates versions for a table whose change sink gives none. The versions of one key always
   * increase, even if it is removed and inserted again. Different keys may have equal versions.
   *
   * <p>A key's next version is its last one plus one. The versions of a new key start above {@link
   * #GONE}, the largest version of any removed key. A removal raises GONE before the key's node
   * leaves the table, and so before the key can get another node. In a full table, removals mostly
   * evict the oldest entries, whose versions are usually small. So GONE is rarely raised: threads
   * share a counter that they hardly ever write.
   */
  private static final class VersionGenerator {
    // On two cache lines of its own, because processors fetch lines in pairs.
    private static final int LINE_LONGS = 2 * 64 / Long.BYTES;
    private static final int GONE = LINE_LONGS;

    private final AtomicLongArray line = new AtomicLongArray(2 * LINE_LONGS);

    /**
     * Returns the version of the next change of an entry that stays. The caller holds the node's
     * lock.
     */
    long next(Node<?, ?> node) {
      long last = node.version();
      return (last == 0 ? line.getOpaque(GONE) : last) + 1;
    }

    /** Returns the version of the removal of an entry. The caller holds the node's lock. */
    long last(Node<?, ?> node) {
      long version = node.version() + 1;
      if (version > line.getOpaque(GONE)) {
        line.accumulateAndGet(GONE, version, Math::max);
      }
      return version;
    }
  }
}
