package io.pensieve.lru;

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
 *   <li>A caller's function may take long, and others should wait for it only if they need its key.
 *       So whoever comes upon one gives back all nodes, waits for that one alone, and takes the
 *       others again. Only those who change several keys wait behind it: it keeps its turn, lest it
 *       never come to an end where functions come one after another.
 *   <li>The nodes are owned as by a plain write, so an evictor waits for them: for as long as the
 *       journal takes, and those writes take that were first at one of the keys.
 *   <li>If the decision or the journal fails, nodes without a value leave as they came, and all
 *       others are as they were.
 * </ul>
 */
final class JointUpdates<K, V> {
  private final NodeTable<K, V> table;
  private final Observer<K, V> observer;
  private final Owner<K, V> owner;
  private final EvictionOrder<K, V> order;
  private final ExpiryOrder<K, V> expiries;
  private final Object turn = new Object(); // before all nodes

  JointUpdates(
      NodeTable<K, V> table,
      Observer<K, V> observer,
      Owner<K, V> owner,
      EvictionOrder<K, V> order,
      ExpiryOrder<K, V> expiries) {
    this.table = table;
    this.observer = observer;
    this.owner = owner;
    this.order = order;
    this.expiries = expiries;
  }

  /** One of the keys, and its node while that is owned. */
  private static final class Held<K, V> {
    final K key;
    @Nullable Node<K, V> node; // null if it is not owned
    boolean fresh; // whether the node was made for this, and is in no order yet

    Held(K key) {
      this.key = key;
    }

    Node<K, V> owned() {
      return Objects.requireNonNull(node);
    }
  }

  private record Changed<K, V>(K key, Outcome<V> outcome, boolean expired) {}

  /** What was done: the versions of the keys, and what is to be told. */
  static final class Done<K, V> {
    private final long[] versions;
    private final List<Changed<K, V>> changed = new ArrayList<>();

    private Done(int keys) {
      versions = new long[keys];
    }

    long[] versions() {
      return versions;
    }
  }

  /**
   * Decides and does it. Afterwards there may be too many entries, and {@link #tell} is to be
   * called, owning nothing.
   */
  Done<K, V> update(List<K> keys, JointMaker<V> maker) {
    List<Held<K, V>> all = new ArrayList<>(keys.size());
    keys.forEach(key -> all.add(new Held<>(key)));
    List<Node<K, V>> added = new ArrayList<>();
    List<Node<K, V>> dead = new ArrayList<>();
    Done<K, V> done;
    synchronized (turn) {
      try {
        ownAll(all);
        done = decide(all, maker);
      } finally {
        all.forEach(held -> release(held, added, dead));
      }
    }
    order.addAll(added);
    dead.forEach(order::remove);
    return done;
  }

  private void ownAll(List<Held<K, V>> all) {
    for (Held<K, V> computed; (computed = ownUntilComputed(all)) != null; ) {
      // No node among these has got a value, so none needs to get into the order, or out of it.
      all.forEach(held -> release(held, new ArrayList<>(), new ArrayList<>()));
      own(computed, true);
    }
  }

  // The first key that a caller's function is deciding about; or null, and all are owned.
  private @Nullable Held<K, V> ownUntilComputed(List<Held<K, V>> all) {
    for (Held<K, V> held : all) {
      if (held.node == null && !own(held, false)) {
        return held;
      }
    }
    return null;
  }

  private boolean own(Held<K, V> held, boolean waitingForFunctions) {
    while (true) {
      Node<K, V> node = table.get(held.key);
      if (node == null) {
        Node<K, V> fresh = new Node<>(held.key, false);
        if (table.putIfAbsent(fresh) == null) {
          held.node = fresh;
          held.fresh = true;
          return true;
        }
      } else if (waitingForFunctions ? node.own(false) : node.ownUnlessComputing()) {
        held.node = node;
        held.fresh = false;
        return true;
      } else if (node.isDead()) {
        table.remove(node);
      } else if (!waitingForFunctions) {
        return false;
      }
    }
  }

  private void release(Held<K, V> held, List<Node<K, V>> added, List<Node<K, V>> dead) {
    Node<K, V> node = held.node;
    if (node == null) {
      return;
    }
    held.node = null;
    if (node.value() == null) {
      dead.add(node);
    } else if (held.fresh) {
      added.add(node);
    }
    owner.end(node);
  }

  private Done<K, V> decide(List<Held<K, V>> all, JointMaker<V> maker) {
    long now = expiries.nowMillis();
    Done<K, V> done = new Done<>(all.size());
    List<Node.@Nullable Reading<V>> present = new ArrayList<>(all.size());
    for (int i = 0; i < all.size(); i++) {
      Node.Reading<V> reading = all.get(i).owned().read();
      done.versions[i] = reading == null ? 0 : reading.version();
      present.add(reading == null || reading.expiryMillis() <= now ? null : reading);
    }
    List<JointMaker.Step<V>> steps = maker.decide(present, now);
    long[] given = tellJournal(all, steps);
    int changes = 0;
    for (JointMaker.Step<V> step : steps) {
      long version = isChange(step) ? given[changes++] : 0;
      make(all.get(step.key()), step, version, present.get(step.key()) == null, done);
    }
    return done;
  }

  private static boolean isChange(JointMaker.Step<?> step) {
    return step.act() == Decision.Act.WRITE || step.act() == Decision.Act.REMOVE;
  }

  private long[] tellJournal(List<Held<K, V>> all, List<JointMaker.Step<V>> steps) {
    List<Journal.Entry<K, V>> entries = new ArrayList<>(steps.size());
    List<K> coming = new ArrayList<>(steps.size());
    for (JointMaker.Step<V> step : steps) {
      Node<K, V> node = all.get(step.key()).owned();
      if (isChange(step)) {
        entries.add(new Journal.Entry<>(node.key(), step.value(), step.expiryMillis()));
      }
      if (step.value() != null && node.value() == null) {
        coming.add(node.key());
      }
    }
    return entries.isEmpty() ? new long[0] : owner.tellJournal(entries, coming);
  }

  private void make(
      Held<K, V> held, JointMaker.Step<V> step, long given, boolean wasAbsent, Done<K, V> done) {
    Node<K, V> node = held.owned();
    V previous = node.value();
    V value = step.value();
    if (!isChange(step)) {
      owner.use(node, previous);
      return;
    }
    long version =
        value == null
            ? owner.removed(node, given)
            : owner.written(node, value, step.expiryMillis(), step.weight(), given);
    done.versions[step.key()] = version;
    Outcome<V> outcome = new Outcome<>(previous, value, version, true);
    done.changed.add(new Changed<>(node.key(), outcome, wasAbsent));
  }

  /** Tells of the values that have left. An expired one has not been replaced. */
  void tell(Done<K, V> done) {
    for (Changed<K, V> changed : done.changed) {
      V previous = changed.outcome().previous();
      if (!changed.expired()) {
        owner.tell(changed.key(), changed.outcome());
      } else if (previous != null) {
        observer.expired(changed.key(), previous);
      }
    }
  }
}
