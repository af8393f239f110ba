package io.pensieve.lru;

import static java.util.Objects.requireNonNull;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableSet;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a table in sorted order, if enabled. If not, every method costs only a test of a
 * final field.
 *
 * <p>The list of keys is built when it is first asked for, beside writers. Until then a writer of a
 * new key only checks that the comparator takes it, and nothing is kept.
 *
 * <p>Invariant: a key that has a value is in the complete list. Only the holder of its node's lock
 * adds or removes it, and the thread that builds the list. It is added before the change sink gets
 * the change, and removed again if the sink refuses. So a key that the comparator refuses never
 * reaches the change sink. It is removed for good after the change sink has the removal, and before
 * its value is. A key here without a value is being inserted or removed, or has expired, so readers
 * also check the node.
 */
public final class SortedKeys<K> {
  // Why the list is complete when it is built. The builder publishes an empty list, then walks over
  // all nodes. A writer locks its node, which is in the table, then reads which list there is. So
  // one of the two sees the other:
  //
  // - The writer saw the list, and has changed it, or will.
  // - The writer did not. Then it had locked its node before the list was published. The builder
  //   finds the node, and waits until the change is visible. If a caller's function is still
  //   deciding, the writer will look for the list later, before it changes anything.
  //
  // The builder adds a key without its lock, so a writer may remove that key just before. Therefore
  // the builder looks at the node again after it has added the key. If the node is then not being
  // changed, and has a value when the builder looks next, no removal had begun: it comes after the
  // addition. In this order: a removal may end between the two looks. If not, `settle` tries again.

  // Held here, so that Java initialises its class with this one, and not in an error handler where
  // the stack may be short: it would stay broken for the whole process.
  private static final NavigableSet<?> NOTHING = Collections.emptyNavigableSet();

  /** Whether keys without a node may be left here. Error handlers set it. */
  volatile boolean damaged;

  private final @Nullable Comparator<? super K> comparator; // null if keys are not sorted
  private @Nullable NodeTable<K, ?> table; // set before the table is used

  // The list that writers keep up to date; null until the first listing.
  private volatile @Nullable ConcurrentSkipListMap<K, Boolean> kept;

  // The same list once it has all keys. Written by the thread that builds it.
  private volatile @Nullable ConcurrentSkipListMap<K, Boolean> complete;

  /**
   * Creates an empty set.
   *
   * @param comparator consistent with the keys' {@code equals}; null to disable sorting
   */
  public SortedKeys(@Nullable Comparator<? super K> comparator) {
    this.comparator = comparator;
    if (comparator != null) {
      // Java initialises the class now, and not where stack or heap may be short.
      new ConcurrentSkipListMap<K, Boolean>(comparator).navigableKeySet();
    }
  }

  /** Sets the table that has the nodes of the keys. Called before the table is used. */
  void attach(NodeTable<K, ?> nodes) {
    this.table = nodes;
  }

  /** Whether keys are sorted. */
  public boolean isEnabled() {
    return comparator != null;
  }

  /**
   * The keys, ascending, weakly consistent, read-only; empty if they are not sorted. The first call
   * builds the list, in O(n log n), while others read and write. Waits for changes that are being
   * made, not for a caller's function.
   *
   * @throws ClassCastException if the comparator cannot compare two of the keys; nothing is kept
   *     then
   */
  public NavigableSet<K> ascending() {
    Comparator<? super K> order = comparator;
    if (order == null) {
      return nothing();
    }
    ConcurrentSkipListMap<K, Boolean> list = complete;
    return (list == null ? build(order) : list).navigableKeySet();
  }

  private synchronized ConcurrentSkipListMap<K, Boolean> build(Comparator<? super K> order) {
    ConcurrentSkipListMap<K, Boolean> built = complete;
    if (built != null) {
      return built;
    }
    NodeTable<K, ?> nodes = requireNonNull(table);
    ConcurrentSkipListMap<K, Boolean> list = new ConcurrentSkipListMap<>(order);
    try {
      kept = list;
      VarHandle.fullFence(); // a table publishes some nodes by release stores only
      for (Node<K, ?> node : sorted(nodes, order)) {
        list.put(node.key(), true); // in ascending order: three times as fast
        VarHandle.fullFence();
        if (node.isChanging() || node.value() == null) {
          settle(node.key(), nodes, list);
        }
      }
      complete = list;
      return list;
    } catch (Throwable thrown) {
      kept = null;
      throw thrown;
    }
  }

  private static <K> List<Node<K, ?>> sorted(NodeTable<K, ?> table, Comparator<? super K> order) {
    List<Node<K, ?>> nodes = new ArrayList<>();
    for (Node<K, ?> node : table) {
      node.awaitUnlocked();
      if (node.value() != null) {
        nodes.add(node);
      }
    }
    nodes.sort((one, other) -> order.compare(one.key(), other.key()));
    return nodes;
  }

  // Adds or removes the key, until it is where it belongs and was not changed meanwhile. If a
  // function is deciding about a node, nothing has changed yet: its writer comes after this.
  private static <K> void settle(
      K key, NodeTable<K, ?> table, ConcurrentSkipListMap<K, Boolean> list) {
    while (true) {
      Node<K, ?> node = table.get(key);
      if (node != null) {
        node.awaitUnlocked();
      }
      boolean isPresent = node != null && node.value() != null;
      if (isPresent) {
        list.put(key, true);
      } else {
        list.remove(key);
      }
      VarHandle.fullFence();
      boolean isSettled =
          node == null || (!node.isChanging() && (node.value() != null) == isPresent);
      if (isSettled && table.get(key) == node) {
        return;
      }
    }
  }

  /** The list that writers keep up to date, complete or not; empty if there is none. */
  NavigableSet<K> kept() {
    ConcurrentSkipListMap<K, Boolean> list = kept;
    return list == null ? nothing() : list.navigableKeySet();
  }

  @SuppressWarnings("unchecked") // it has no elements, of whatever type
  private static <K> NavigableSet<K> nothing() {
    return (NavigableSet<K>) NOTHING;
  }

  /** Adds a key, whose node the caller has locked. Refuses a key that the comparator refuses. */
  void add(K key) {
    if (comparator != null) {
      VarHandle.fullFence(); // the node is locked, and in the table, before the list is read
      ConcurrentSkipListMap<K, Boolean> list = kept;
      if (list != null) {
        list.put(key, true);
      } else {
        check(key);
      }
    }
  }

  /** Throws what the comparator throws for this key, if it refuses it by itself. */
  void check(K key) {
    if (comparator != null) {
      int ignored = comparator.compare(key, key); // as a list does with its first key
    }
  }

  /** Removes a key, whose node the caller has locked. */
  void remove(K key) {
    ConcurrentSkipListMap<K, Boolean> list = comparator == null ? null : kept;
    if (list != null) {
      list.remove(key);
    }
  }

  /** Removes a key whose change was refused, perhaps by the comparator. */
  void undoAdd(K key) {
    try {
      remove(key);
    } catch (RuntimeException hasNoPlace) {
      // The comparator refused the key, so it was never added.
    }
  }
}
