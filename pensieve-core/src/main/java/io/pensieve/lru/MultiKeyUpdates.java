package io.pensieve.lru;

import io.pensieve.lru.UpdateDecision.Action;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Changes several keys atomically.
 *
 * <p>Invariants, and why there is no deadlock:
 *
 * <ul>
 *   <li>The updating thread holds the locks of all nodes involved, from before the decision until
 *       all is done. An absent key gets a node without a value, as for any insertion. So no other
 *       thread's change comes in between, and the change sink gets all changes in one call.
 *   <li>Only one such update runs at a time, under {@link #exclusive}: only the thread that holds
 *       it waits for a node while it holds another one. Every other thread holds one node's lock at
 *       a time. A writer or an evictor that holds it waits for the change sink and not for nodes. A
 *       walk reads only the node that it has locked. A caller's function may read other keys; it
 *       waits at most for one that is being set, and the thread that sets it waits for nothing
 *       more. A function must not write. So there is no cycle of waiting threads.
 *   <li>A caller's function may take long, and may itself wait for other threads that write. So an
 *       update that finds one releases all nodes and {@link #exclusive}, and waits for that
 *       function alone. Then it starts again, and first makes some tries at that key, so that a
 *       succession of functions cannot starve it.
 *   <li>It releases all nodes before it wakes any waiter or does anything else. Waking waits for no
 *       function.
 *   <li>The nodes are locked as by a plain write, so an evictor waits for them: as long as the
 *       change sink takes, plus the earlier writes of these keys.
 *   <li>If the decision or the change sink fails, nodes without a value leave the table, and all
 *       others stay as they were. An {@code Error} may occur after the change sink has the changes.
 *       The handler then completes all changes and releases all nodes, by stores alone.
 * </ul>
 */
final class MultiKeyUpdates<K, V> {
  private static final int TRIES_MAX = 1024; // at a key whose function has just ended: some ms

  private final NodeTable<K, V> table;
  private final RemovalObserver<K, V> observer;
  private final NodeWriter<K, V> writer;
  private final EvictionOrder<K, V> order;
  private final ExpiryOrder<K, V> expiries;
  private final ComputingThreads computing;
  private final Object exclusive = new Object(); // lock order: before all nodes

  MultiKeyUpdates(
      NodeTable<K, V> table,
      RemovalObserver<K, V> observer,
      NodeWriter<K, V> writer,
      EvictionOrder<K, V> order,
      ExpiryOrder<K, V> expiries,
      ComputingThreads computing) {
    this.table = table;
    this.observer = observer;
    this.writer = writer;
    this.order = order;
    this.expiries = expiries;
    this.computing = computing;
  }

  /** One of the keys: its node, whether this update holds the node's lock, and the change. */
  private static final class LockedKey<K, V> {
    final K key;
    @Nullable Node<K, V> node; // the last one that was locked, or tried
    boolean locked;
    boolean fresh; // whether this update created the node, which is in no order yet

    // Prepared before the change sink gets the changes.
    boolean changes;
    boolean keepsValue; // and changes only the expiry
    @Nullable V value;
    @Nullable Timer<K, V> timer;
    long expiryMillis;
    long weight;
    @Nullable V previous;
    boolean wasAbsent;

    long version; // of the key before the change, then of the change; 0 if it is absent

    LockedKey(K key) {
      this.key = key;
    }

    Node<K, V> node() {
      return Objects.requireNonNull(node);
    }
  }

  /** The result of an update: the versions of the keys, and the removals to report. */
  static final class MultiKeyResult<K, V> {
    private final LockedKey<K, V>[] keys;
    private LockedKey<K, V>[]
        steps; // the keys that were used or changed, in the order of their uses

    private MultiKeyResult(LockedKey<K, V>[] keys) {
      this.keys = keys;
      this.steps = newLockedKeys(0);
    }

    long[] versions() {
      long[] versions = new long[keys.length];
      for (int i = 0; i < keys.length; i++) {
        versions[i] = keys[i].version;
      }
      return versions;
    }
  }

  @SuppressWarnings("unchecked") // Java has no other way to create a generic array
  private static <K, V> LockedKey<K, V>[] newLockedKeys(int length) {
    return (LockedKey<K, V>[]) new LockedKey<?, ?>[length];
  }

  /**
   * Decides and applies the decision. Afterwards the table may have too many entries. The caller
   * then calls {@link #notifyObserver} with no lock held.
   */
  MultiKeyResult<K, V> update(List<K> keys, MultiKeyUpdateFunction<V> maker) {
    order.growTable(keys.size());
    LockedKey<K, V>[] all = newLockedKeys(keys.size());
    for (int i = 0; i < all.length; i++) {
      all[i] = new LockedKey<>(keys.get(i));
    }
    MultiKeyResult<K, V> multiKeyResult = new MultiKeyResult<>(all);
    for (LockedKey<K, V> computed = null;
        (computed = tryUpdate(multiKeyResult, computed, maker)) != null; ) {
      computed.node().awaitFunction();
    }
    return multiKeyResult;
  }

  // Returns the first key that a caller's function is deciding about; or null, and all is done.
  @SuppressWarnings("StaticGuardedByInstance") // the store to Node.fence is a fence, not data
  private @Nullable LockedKey<K, V> tryUpdate(
      MultiKeyResult<K, V> multiKeyResult,
      @Nullable LockedKey<K, V> computedBefore,
      MultiKeyUpdateFunction<V> maker) {
    LockedKey<K, V>[] all = multiKeyResult.keys;
    ComputingThreads.Slot slot = null;
    synchronized (exclusive) {
      try {
        LockedKey<K, V> computed = lockAll(all, computedBefore);
        if (computed == null) {
          slot = computing.enter();
          decide(multiKeyResult, maker);
          slot.thread = null;
        }
        for (LockedKey<K, V> lockedKey : all) {
          if (lockedKey.locked) {
            writer.unlock(lockedKey.node());
            lockedKey.locked = false;
          }
        }
        afterUnlock(all);
        return computed;
      } catch (Throwable thrown) {
        if (slot != null) {
          slot.thread = null;
        }
        Node.fence = 0;
        for (LockedKey<K, V> lockedKey : all) {
          Node<K, V> node = lockedKey.node;
          if (node != null && lockedKey.locked) {
            node.state = node.value == null ? Node.DEAD : Node.IDLE;
            lockedKey.locked = false;
          }
        }
        try {
          afterUnlock(all);
        } catch (Throwable noRoom) {
          order.damaged = true;
        }
        throw thrown;
      }
    }
  }

  private @Nullable LockedKey<K, V> lockAll(
      LockedKey<K, V>[] all, @Nullable LockedKey<K, V> computedBefore) {
    if (computedBefore != null) {
      for (int tries = 0; !computedBefore.locked && tries < TRIES_MAX; ) {
        lock(computedBefore);
        tries = SpinWait.once(tries);
      }
    }
    for (LockedKey<K, V> lockedKey : all) {
      if (!lockedKey.locked && !lock(lockedKey)) {
        return lockedKey;
      }
    }
    return null;
  }

  // Returns false if a function is deciding about the key. An error may occur once the node is
  // locked: `locked` records that.
  private boolean lock(LockedKey<K, V> lockedKey) {
    while (true) {
      Node<K, V> node = table.get(lockedKey.key);
      if (node == null) {
        Node<K, V> added = new Node<>(lockedKey.key, false);
        lockedKey.node = added;
        lockedKey.fresh = true;
        lockedKey.locked = true;
        if (table.putIfAbsent(added) == null) {
          return true;
        }
        lockedKey.node = null;
        lockedKey.locked = false;
        continue;
      }
      lockedKey.node = node;
      lockedKey.fresh = false;
      lockedKey.locked = node.tryLockUnlessComputing();
      if (lockedKey.locked) {
        return true;
      } else if (!node.isDead()) {
        return false;
      }
      table.remove(node);
    }
  }

  // All nodes are unlocked. Dead nodes leave the table and the order; new nodes with a value enter
  // the order. Each step is idempotent.
  private void afterUnlock(LockedKey<K, V>[] all) {
    List<Node<K, V>> added = new ArrayList<>();
    for (LockedKey<K, V> lockedKey : all) {
      Node<K, V> node = lockedKey.node;
      if (node == null) {
        continue;
      }
      writer.afterUnlock(node);
      if (node.isDead()) {
        order.remove(node);
      } else if (lockedKey.fresh && node.value() != null) {
        added.add(node);
      }
    }
    order.addAll(added);
  }

  private void decide(MultiKeyResult<K, V> multiKeyResult, MultiKeyUpdateFunction<V> maker) {
    LockedKey<K, V>[] all = multiKeyResult.keys;
    long now = expiries.nowMillis();
    List<Node.@Nullable Snapshot<V>> present = new ArrayList<>(all.length);
    for (LockedKey<K, V> lockedKey : all) {
      Node.Snapshot<V> snapshot = lockedKey.node().read();
      lockedKey.version = snapshot == null ? 0 : snapshot.version();
      lockedKey.wasAbsent = snapshot == null || snapshot.expiryMillis() <= now;
      present.add(lockedKey.wasAbsent ? null : snapshot);
    }
    List<MultiKeyUpdateFunction.KeyUpdate<V>> steps = maker.decide(present, now);
    LockedKey<K, V>[] used = newLockedKeys(steps.size());
    List<ChangeSink.KeyChange<K, V>> entries = new ArrayList<>(used.length);
    List<K> coming = new ArrayList<>(used.length);
    for (int i = 0; i < used.length; i++) {
      used[i] = all[steps.get(i).key()];
      prepare(used[i], steps.get(i), entries, coming);
    }
    multiKeyResult.steps = used;
    apply(used, entries, coming);
  }

  private void prepare(
      LockedKey<K, V> lockedKey,
      MultiKeyUpdateFunction.KeyUpdate<V> keyUpdate,
      List<ChangeSink.KeyChange<K, V>> entries,
      List<K> coming) {
    Node<K, V> node = lockedKey.node();
    lockedKey.changes = keyUpdate.action().isWrite() || keyUpdate.action() == Action.REMOVE;
    lockedKey.keepsValue = keyUpdate.action() == Action.EXTEND;
    lockedKey.value = keyUpdate.value();
    lockedKey.expiryMillis = lockedKey.value == null ? Node.NEVER : keyUpdate.expiryMillis();
    lockedKey.timer =
        lockedKey.value == null
            ? node.timer()
            : expiries.timerOfWrite(node, lockedKey.expiryMillis);
    lockedKey.weight = keyUpdate.weight();
    lockedKey.previous = node.value();
    if (lockedKey.changes) {
      entries.add(
          new ChangeSink.KeyChange<>(node.key(), lockedKey.value, keyUpdate.expiryMillis()));
    }
    if (lockedKey.value != null && lockedKey.previous == null) {
      coming.add(node.key());
    }
  }

  // Once the change sink has the changes, they are applied, whatever error occurs.
  private void apply(
      LockedKey<K, V>[] steps, List<ChangeSink.KeyChange<K, V>> entries, List<K> coming) {
    boolean making = false;
    long[] given = entries.isEmpty() ? new long[0] : writer.recordChange(entries, coming);
    try {
      making = given.length > 0 && given[0] != 0;
      int changes = 0;
      for (LockedKey<K, V> lockedKey : steps) {
        if (lockedKey.changes) {
          lockedKey.version =
              writer.version(lockedKey.node(), given[changes++], lockedKey.value != null);
        }
      }
      making = true;
      for (LockedKey<K, V> lockedKey : steps) {
        apply(lockedKey);
      }
    } catch (Throwable thrown) {
      int changes = 0;
      for (LockedKey<K, V> lockedKey : steps) {
        Node<K, V> node = lockedKey.node;
        if (node != null && lockedKey.changes && making) {
          if (given[changes] != 0) {
            lockedKey.version = given[changes];
          }
          changes++;
          node.version = -lockedKey.version;
          Node.fence = 0;
          node.value = lockedKey.value;
          if (lockedKey.timer != null) {
            lockedKey.timer.expiryMillis = lockedKey.expiryMillis;
            node.timer = lockedKey.timer;
          }
          node.weight = lockedKey.weight;
          Node.fence = 0;
          node.version = lockedKey.version;
        }
      }
      expiries.damaged = true;
      order.damaged = true;
      writer.keys.damaged = true; // also if there is no log, and no change was made
      throw thrown;
    }
  }

  private void apply(LockedKey<K, V> lockedKey) {
    Node<K, V> node = lockedKey.node();
    V value = lockedKey.value;
    if (!lockedKey.changes) {
      writer.touch(node, lockedKey.previous);
    } else if (value == null) {
      writer.applyRemoval(node, lockedKey.version);
    } else {
      if (!lockedKey.keepsValue) {
        expiries.date(lockedKey.timer);
      }
      writer.applyWrite(
          node,
          value,
          lockedKey.timer,
          lockedKey.expiryMillis,
          lockedKey.weight,
          lockedKey.version);
    }
  }

  /**
   * Notifies the observer of the values that were removed or replaced. An expired value is reported
   * as expired, not as replaced.
   */
  void notifyObserver(MultiKeyResult<K, V> multiKeyResult) {
    for (LockedKey<K, V> lockedKey : multiKeyResult.steps) {
      V previous = lockedKey.previous;
      if (!lockedKey.changes || previous == null) {
        continue;
      }
      if (lockedKey.wasAbsent) {
        observer.expired(lockedKey.key, previous);
      } else {
        writer.notifyObserver(
            lockedKey.key, new UpdateResult<>(previous, lockedKey.value, lockedKey.version, true));
      }
    }
  }
}
