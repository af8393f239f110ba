package io.pensieve.lru;

import io.pensieve.lru.UpdateDecision.Action;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Changes of several keys as one.
 *
 * <p>How it holds together:
 *
 * <ul>
 *   <li>Who changes several keys owns the nodes of all of them, from before the decision until all
 *       is done; a key that is absent gets a node without a value, as for any insertion. So nobody
 *       else's change comes in between, and the journal gets all changes in one call.
 *   <li>One at a time, by {@link #exclusive}: whoever waits for a node while owning another one has
 *       that. Everyone else owns one node at a time: a writer and an evictor wait for the journal
 *       and not for nodes; a walk reads what it owns; a caller's function may read other keys, and
 *       waits at most for one that is in the middle of being set, whose owner waits for nothing any
 *       more; and it must not write. So there is no circle.
 *   <li>A caller's function may take long, and may itself wait for other threads that write. So
 *       whoever comes upon one gives back all nodes and the turn, waits for that one alone, and
 *       begins again, with a few tries at that key first, lest it never come to an end where
 *       functions come one after another.
 *   <li>All nodes are given back before anyone is woken or anything else is done; and to wake waits
 *       for nobody's function.
 *   <li>The nodes are owned as by a plain write, so an evictor waits for them: for as long as the
 *       journal takes, and those writes take that were first at one of the keys.
 *   <li>If the decision or the journal fails, nodes without a value leave as they came, and all
 *       others are as they were. If an {@code Error} comes after the journal was told, all changes
 *       are made all the same, and all nodes given back, by stores alone.
 * </ul>
 */
final class MultiKeyUpdates<K, V> {
  private static final int TRIES_MAX = 1024; // at a key that has just been computed: some ms

  private final NodeTable<K, V> table;
  private final RemovalObserver<K, V> observer;
  private final NodeWriter<K, V> writer;
  private final EvictionOrder<K, V> order;
  private final ExpiryOrder<K, V> expiries;
  private final ComputingThreads computing;
  private final Object exclusive = new Object(); // before all nodes

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

  /** One of the keys: its node, whether that is owned, and what becomes of it. */
  private static final class LockedKey<K, V> {
    final K key;
    @Nullable Node<K, V> node; // the last one that was owned, or was tried
    boolean locked;
    boolean fresh; // whether the node was made for this, and is in no order yet

    // Made ready before the journal is told.
    boolean changes;
    @Nullable V value;
    @Nullable Timer<K, V> timer;
    long expiryMillis;
    int weight;
    @Nullable V previous;
    boolean wasAbsent;

    long version; // of the key before it changes, then of the change; 0 if it is absent

    LockedKey(K key) {
      this.key = key;
    }

    Node<K, V> node() {
      return Objects.requireNonNull(node);
    }
  }

  /** What was done: the versions of the keys, and what is to be told. */
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

  @SuppressWarnings("unchecked") // an array of a generic type cannot be made otherwise
  private static <K, V> LockedKey<K, V>[] newLockedKeys(int length) {
    return (LockedKey<K, V>[]) new LockedKey<?, ?>[length];
  }

  /**
   * Decides and does it. Afterwards there may be too many entries, and {@link #notifyObserver} is
   * to be called, owning nothing.
   */
  MultiKeyResult<K, V> update(List<K> keys, MultiKeyUpdateFunction<V> maker) {
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

  // The first key that a caller's function is deciding about; or null, and all is done.
  @SuppressWarnings("StaticGuardedByInstance") // the store to Node.fence is a fence, and no datum
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

  // False if a function is deciding about it. An error may come when it is owned: that is noted.
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

  // Owning none of them any more: those that have died leave the table and the order, and those
  // that are new and have a value get into the order. Nothing is done twice.
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
    lockedKey.changes = keyUpdate.action() == Action.WRITE || keyUpdate.action() == Action.REMOVE;
    lockedKey.value = keyUpdate.value();
    lockedKey.expiryMillis = lockedKey.value == null ? Node.NEVER : keyUpdate.expiryMillis();
    lockedKey.timer = node.timerFor(lockedKey.expiryMillis);
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

  // From the moment on when the journal has the changes, they are made, whatever comes.
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
      writer.keys.damaged = true; // also if there is no journal, and nothing was made
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
      writer.applyWrite(
          node,
          value,
          lockedKey.timer,
          lockedKey.expiryMillis,
          lockedKey.weight,
          lockedKey.version);
    }
  }

  /** Tells of the values that have left. An expired one has not been replaced. */
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
