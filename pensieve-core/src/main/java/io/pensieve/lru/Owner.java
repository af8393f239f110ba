package io.pensieve.lru;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the owner of a node does with it: write it, remove it, use it, let go of it; and whom to
 * tell afterwards.
 *
 * <p>The order of a write: the sorted keys first, so that they have every key that anyone sees, and
 * a key that has no place among them is refused by them alone; then the journal, so that nobody
 * sees what it has not got; then the stamp, so that whoever finds the value finds it used; then
 * value, expiry and version, as {@link Node} says; then the orders of expiry and weight, which may
 * lag behind.
 */
final class Owner<K, V> {
  private final NodeTable<K, V> table;
  private final Journal<K, V> journal;
  private final Observer<K, V> observer;
  private final UseClock clock;
  private final EvictionOrder<K, V> order;
  private final ExpiryOrder<K, V> expiries;
  private final SortedKeys<K> keys;
  private final Versions versions = new Versions();

  Owner(
      NodeTable<K, V> table,
      Journal<K, V> journal,
      Observer<K, V> observer,
      UseClock clock,
      EvictionOrder<K, V> order,
      ExpiryOrder<K, V> expiries,
      SortedKeys<K> keys) {
    this.table = table;
    this.journal = journal;
    this.observer = observer;
    this.clock = clock;
    this.order = order;
    this.expiries = expiries;
    this.keys = keys;
  }

  // The life of a value begins when it is written, not when its writer came and had to wait.
  Outcome<V> write(Node<K, V> node, @Nullable V current, Decision<V> decision) {
    V value = decision.value();
    assert value != null : "a decision to write has a value";
    long expiry =
        decision.lifeMillis() == Decision.SAME_EXPIRY
            ? node.expiryMillis()
            : expiries.expiryMillis(decision);
    long given = tellJournal(node, value, expiry);
    long version = written(node, value, expiry, decision.weight(), given);
    return new Outcome<>(current, value, version, true);
  }

  private long tellJournal(Node<K, V> node, V value, long expiryMillis) {
    if (!keys.isOn() || node.value() != null) {
      return journal.put(node.key(), value, expiryMillis);
    }
    keys.enter(node.key());
    try {
      return journal.put(node.key(), value, expiryMillis);
    } catch (RuntimeException | Error refused) {
      keys.leave(node.key());
      throw refused;
    }
  }

  /**
   * Tells the journal of several changes, as one.
   *
   * @param coming the keys that had no value and get one
   */
  long[] tellJournal(List<Journal.Entry<K, V>> entries, List<K> coming) {
    keys.enterAll(coming);
    try {
      return journal.together(entries);
    } catch (RuntimeException | Error refused) {
      coming.forEach(keys::leave);
      throw refused;
    }
  }

  /**
   * The write is in the journal.
   *
   * @param given the version that the journal gave it
   * @return the version that it has
   */
  long written(Node<K, V> node, V value, long expiryMillis, int weight, long given) {
    long version = given == 0 ? versions.next(node) : given;
    clock.stamp(node);
    node.set(value, expiryMillis, version);
    expiries.arm(node);
    order.weigh(node, weight);
    return version;
  }

  Outcome<V> remove(Node<K, V> node, V current) {
    long given = journal.remove(node.key());
    return new Outcome<>(current, null, removed(node, given), true);
  }

  /** The removal is in the journal. As {@link #written}. */
  long removed(Node<K, V> node, long given) {
    long version = given == 0 ? versions.last(node) : given;
    keys.leave(node.key());
    node.set(null, Node.NEVER, version);
    expiries.disarm(node);
    return version;
  }

  Outcome<V> use(Node<K, V> node, @Nullable V current) {
    clock.stamp(node);
    return new Outcome<>(current, current, node.version(), false);
  }

  /** Lets go of the node, which dies if it has no value. */
  void end(Node<K, V> node) {
    if (node.value() != null) {
      node.disown();
    } else {
      node.die();
      table.remove(node);
      node.wakeWaiting();
    }
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
