package io.pensieve.lru;

import io.pensieve.lru.Decision.Act;
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
 *   <li>One at a time, by {@link #turn}: whoever waits for a node while owning another one has
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
final class JointUpdates<K, V> {
  private static final int TRIES_MAX = 1024; // at a key that has just been computed: some ms

  private final NodeTable<K, V> table;
  private final Observer<K, V> observer;
  private final Owner<K, V> owner;
  private final EvictionOrder<K, V> order;
  private final ExpiryOrder<K, V> expiries;
  private final ComputingThreads computing;
  private final Object turn = new Object(); // before all nodes

  JointUpdates(
      NodeTable<K, V> table,
      Observer<K, V> observer,
      Owner<K, V> owner,
      EvictionOrder<K, V> order,
      ExpiryOrder<K, V> expiries,
      ComputingThreads computing) {
    this.table = table;
    this.observer = observer;
    this.owner = owner;
    this.order = order;
    this.expiries = expiries;
    this.computing = computing;
  }

  /** One of the keys: its node, whether that is owned, and what becomes of it. */
  private static final class Held<K, V> {
    final K key;
    @Nullable Node<K, V> node; // the last one that was owned, or was tried
    boolean owned;
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

    Held(K key) {
      this.key = key;
    }

    Node<K, V> node() {
      return Objects.requireNonNull(node);
    }
  }

  /** What was done: the versions of the keys, and what is to be told. */
  static final class Done<K, V> {
    private final Held<K, V>[] keys;
    private Held<K, V>[] steps; // the keys that were used or changed, in the order of their uses

    private Done(Held<K, V>[] keys) {
      this.keys = keys;
      this.steps = newHelds(0);
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
  private static <K, V> Held<K, V>[] newHelds(int length) {
    return (Held<K, V>[]) new Held<?, ?>[length];
  }

  /**
   * Decides and does it. Afterwards there may be too many entries, and {@link #tell} is to be
   * called, owning nothing.
   */
  Done<K, V> update(List<K> keys, JointMaker<V> maker) {
    Held<K, V>[] all = newHelds(keys.size());
    for (int i = 0; i < all.length; i++) {
      all[i] = new Held<>(keys.get(i));
    }
    Done<K, V> done = new Done<>(all);
    for (Held<K, V> computed = null; (computed = tryUpdate(done, computed, maker)) != null; ) {
      computed.node().awaitFunction();
    }
    return done;
  }

  // The first key that a caller's function is deciding about; or null, and all is done.
  @SuppressWarnings("StaticGuardedByInstance") // the store to Node.fence is a fence, and no datum
  private @Nullable Held<K, V> tryUpdate(
      Done<K, V> done, @Nullable Held<K, V> computedBefore, JointMaker<V> maker) {
    Held<K, V>[] all = done.keys;
    ComputingThreads.Place place = null;
    synchronized (turn) {
      try {
        Held<K, V> computed = ownUntilComputed(all, computedBefore);
        if (computed == null) {
          place = computing.enter();
          decide(done, maker);
          place.thread = null;
        }
        for (Held<K, V> held : all) {
          if (held.owned) {
            owner.letGo(held.node());
            held.owned = false;
          }
        }
        leave(all);
        return computed;
      } catch (Throwable thrown) {
        if (place != null) {
          place.thread = null;
        }
        Node.fence = 0;
        for (Held<K, V> held : all) {
          Node<K, V> node = held.node;
          if (node != null && held.owned) {
            node.state = node.value == null ? Node.DEAD : Node.IDLE;
            held.owned = false;
          }
        }
        try {
          leave(all);
        } catch (Throwable noRoom) {
          order.damaged = true;
        }
        throw thrown;
      }
    }
  }

  private @Nullable Held<K, V> ownUntilComputed(
      Held<K, V>[] all, @Nullable Held<K, V> computedBefore) {
    if (computedBefore != null) {
      for (int tries = 0; !computedBefore.owned && tries < TRIES_MAX; ) {
        own(computedBefore);
        tries = Spin.once(tries);
      }
    }
    for (Held<K, V> held : all) {
      if (!held.owned && !own(held)) {
        return held;
      }
    }
    return null;
  }

  // False if a function is deciding about it. An error may come when it is owned: that is noted.
  private boolean own(Held<K, V> held) {
    while (true) {
      Node<K, V> node = table.get(held.key);
      if (node == null) {
        Node<K, V> added = new Node<>(held.key, false);
        held.node = added;
        held.fresh = true;
        held.owned = true;
        if (table.putIfAbsent(added) == null) {
          return true;
        }
        held.node = null;
        held.owned = false;
        continue;
      }
      held.node = node;
      held.fresh = false;
      held.owned = node.ownUnlessComputing();
      if (held.owned) {
        return true;
      } else if (!node.isDead()) {
        return false;
      }
      table.remove(node);
    }
  }

  // Owning none of them any more: those that have died leave the table and the order, and those
  // that are new and have a value get into the order. Nothing is done twice.
  private void leave(Held<K, V>[] all) {
    List<Node<K, V>> added = new ArrayList<>();
    for (Held<K, V> held : all) {
      Node<K, V> node = held.node;
      if (node == null) {
        continue;
      }
      owner.leave(node);
      if (node.isDead()) {
        order.remove(node);
      } else if (held.fresh && node.value() != null) {
        added.add(node);
      }
    }
    order.addAll(added);
  }

  private void decide(Done<K, V> done, JointMaker<V> maker) {
    Held<K, V>[] all = done.keys;
    long now = expiries.nowMillis();
    List<Node.@Nullable Reading<V>> present = new ArrayList<>(all.length);
    for (Held<K, V> held : all) {
      Node.Reading<V> reading = held.node().read();
      held.version = reading == null ? 0 : reading.version();
      held.wasAbsent = reading == null || reading.expiryMillis() <= now;
      present.add(held.wasAbsent ? null : reading);
    }
    List<JointMaker.Step<V>> steps = maker.decide(present, now);
    Held<K, V>[] used = newHelds(steps.size());
    List<Journal.Entry<K, V>> entries = new ArrayList<>(used.length);
    List<K> coming = new ArrayList<>(used.length);
    for (int i = 0; i < used.length; i++) {
      used[i] = all[steps.get(i).key()];
      makeReady(used[i], steps.get(i), entries, coming);
    }
    done.steps = used;
    make(used, entries, coming);
  }

  private void makeReady(
      Held<K, V> held, JointMaker.Step<V> step, List<Journal.Entry<K, V>> entries, List<K> coming) {
    Node<K, V> node = held.node();
    held.changes = step.act() == Act.WRITE || step.act() == Act.REMOVE;
    held.value = step.value();
    held.expiryMillis = held.value == null ? Node.NEVER : step.expiryMillis();
    held.timer = node.timerFor(held.expiryMillis);
    held.weight = step.weight();
    held.previous = node.value();
    if (held.changes) {
      entries.add(new Journal.Entry<>(node.key(), held.value, step.expiryMillis()));
    }
    if (held.value != null && held.previous == null) {
      coming.add(node.key());
    }
  }

  // From the moment on when the journal has the changes, they are made, whatever comes.
  private void make(Held<K, V>[] steps, List<Journal.Entry<K, V>> entries, List<K> coming) {
    boolean making = false;
    long[] given = entries.isEmpty() ? new long[0] : owner.tellJournal(entries, coming);
    try {
      making = given.length > 0 && given[0] != 0;
      int changes = 0;
      for (Held<K, V> held : steps) {
        if (held.changes) {
          held.version = owner.version(held.node(), given[changes++], held.value != null);
        }
      }
      making = true;
      for (Held<K, V> held : steps) {
        make(held);
      }
    } catch (Throwable thrown) {
      int changes = 0;
      for (Held<K, V> held : steps) {
        Node<K, V> node = held.node;
        if (node != null && held.changes && making) {
          if (given[changes] != 0) {
            held.version = given[changes];
          }
          changes++;
          node.version = -held.version;
          Node.fence = 0;
          node.value = held.value;
          if (held.timer != null) {
            held.timer.expiryMillis = held.expiryMillis;
            node.timer = held.timer;
          }
          node.weight = held.weight;
          Node.fence = 0;
          node.version = held.version;
        }
      }
      expiries.damaged = true;
      order.damaged = true;
      owner.keys.damaged = true; // also if there is no journal, and nothing was made
      throw thrown;
    }
  }

  private void make(Held<K, V> held) {
    Node<K, V> node = held.node();
    V value = held.value;
    if (!held.changes) {
      owner.use(node, held.previous);
    } else if (value == null) {
      owner.removed(node, held.version);
    } else {
      owner.written(node, value, held.timer, held.expiryMillis, held.weight, held.version);
    }
  }

  /** Tells of the values that have left. An expired one has not been replaced. */
  void tell(Done<K, V> done) {
    for (Held<K, V> held : done.steps) {
      V previous = held.previous;
      if (!held.changes || previous == null) {
        continue;
      }
      if (held.wasAbsent) {
        observer.expired(held.key, previous);
      } else {
        owner.tell(held.key, new Outcome<>(previous, held.value, held.version, true));
      }
    }
  }
}
