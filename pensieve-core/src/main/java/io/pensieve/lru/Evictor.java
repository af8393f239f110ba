package io.pensieve.lru;

import io.pensieve.lru.EvictionOrder.Victim;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Evicts entries until the bounds hold. Callers hold no lock. */
final class Evictor<K, V> {
  private static final int FAILURES_MAX = 3; // that evict nothing, before the evictor gives up
  private static final int SHARE = 16; // what a writer evicts while the limits shrink

  private final EvictionOrder<K, V> order;
  private final NodeWriter<K, V> writer;
  private final RemovalObserver<K, V> observer;
  private final ChangeSink<K, V> sink;

  /** Whether to evict nothing: another table decides that for this one. */
  volatile boolean suspended;

  /**
   * Whether a thread evicts what a smaller limit has made too many: see {@link CapacityChange}.
   * Only that thread writes it.
   */
  volatile boolean shrinking;

  Evictor(
      EvictionOrder<K, V> order,
      NodeWriter<K, V> writer,
      RemovalObserver<K, V> observer,
      ChangeSink<K, V> sink) {
    this.order = order;
    this.writer = writer;
    this.observer = observer;
    this.sink = sink;
  }

  /** Adds a new node that has a value to the order, and evicts the overflow. */
  void addAndEvict(Node<K, V> node) {
    Victim<K, V> victim = null;
    try {
      if (suspended) {
        order.add(node);
        return;
      }
      victim = order.addAndPollOverflow(node);
      if (victim != null) {
        evict(victim);
        if (victim.ended()) {
          return;
        }
      }
    } catch (Throwable thrown) {
      // An eviction that the change sink refused has put its node back. An error may have left a
      // node out.
      if ((node.state != Node.DEAD && (node.position & Node.INSIDE) == 0)
          || (victim != null
              && victim.node.state != Node.DEAD
              && (victim.node.position & Node.INSIDE) == 0)) {
        order.damaged = true;
      }
      evictOverflowAfter(thrown);
      if (sink.mayPostponeEviction(thrown)) {
        return;
      }
      throw thrown;
    }
    evictOverflow();
  }

  /**
   * Replaces the value of a node as {@link NodeWriter#replaceAtOnce}, and evicts the overflow that
   * others may have left.
   */
  @Nullable V replaceAndEvict(Node<K, V> node, V value) {
    V previous;
    try {
      previous = writer.replaceAtOnce(node, value);
    } catch (Throwable thrown) {
      evictAfterWrite(false, thrown);
      throw thrown;
    }
    if (previous == null) {
      return null;
    }
    try {
      evictOverflow();
    } finally {
      observer.replaced(node.key(), previous);
    }
    return previous;
  }

  /** As {@link #evictOverflow}, for a thread that is about to throw an earlier error. */
  void evictOverflowAfter(Throwable first) {
    try {
      evictOverflow();
    } catch (Throwable alsoRefused) {
      // The next writer evicts. The caller gets the first error.
    }
  }

  /**
   * As {@link #evictOverflowAfter}, where a write threw the error. An evictor may have skipped the
   * node during a caller's function, and left its overflow to this thread. After an {@code Error}
   * the write itself may have been made.
   */
  void evictAfterWrite(boolean hadFunction, Throwable thrown) {
    if (hadFunction || thrown instanceof Error) {
      Node.fence = 0; // the node is unlocked before this thread checks for an overflow
      evictOverflowAfter(thrown);
    }
  }

  /**
   * Evicts until the bound holds, or a few entries while a smaller limit is being applied. A victim
   * that was used after it was chosen stays, and another one is evicted. If the change sink fails,
   * the victim stays, and so does the overflow; the sink may {@linkplain
   * ChangeSink#mayPostponeEviction let that pass}. Any other error may concern one victim only, so
   * this method tries the next one before it throws the first error.
   *
   * <p>It skips entries that a caller's function is deciding about, because that may take
   * arbitrarily long. Their overflow is not lost. This thread writes the order's size and then
   * reads the node's state. The deciding thread writes the state and then reads the size. All four
   * accesses are volatile. So either this thread sees that the decision has ended, and tries again,
   * or the other one sees the overflow. If the decision was to remove, both acquire the order's
   * lock, and the second one sees what the first did. This method waits for plain writes instead of
   * skipping them: they hold a node's lock only while the change sink takes the change.
   */
  void evictOverflow() {
    if (!suspended && order.isOverfull()) {
      evictOverflow(shrinking ? SHARE : Integer.MAX_VALUE, true);
    }
  }

  /**
   * Evicts at most so many entries, for a smaller limit. Unlike {@link #evictOverflow} it throws
   * every failure of the change sink.
   *
   * @return whether there may be more to evict for this thread
   */
  boolean evictSome(int most) {
    return !suspended && order.isOverfull() && evictOverflow(most, false);
  }

  // Returns whether it stopped because it has evicted as many as it should.
  private boolean evictOverflow(int most, boolean mayPostpone) {
    Throwable first = null;
    int left = most;
    for (int failures = 0; left > 0 && !suspended && order.isOverfull(); ) {
      int size = order.size();
      List<Node<K, V>> passedOver = new ArrayList<>(0);
      try {
        left = evictAround(passedOver, left);
        order.addAll(passedOver);
        if (areAllComputing(passedOver)) { // after they are back in the order, not before
          break;
        }
      } catch (Throwable thrown) {
        first = first == null ? thrown : first;
        try {
          order.addAll(passedOver);
        } catch (Throwable noRoom) {
          order.damaged = true;
        }
        if (order.size() >= size && ++failures == FAILURES_MAX) {
          break;
        }
      }
    }
    if (first instanceof Error error) {
      throw error;
    } else if (first != null && !(mayPostpone && sink.mayPostponeEviction(first))) {
      throw (RuntimeException) first; // no called method throws a checked exception
    }
    return left == 0;
  }

  private static boolean areAllComputing(List<? extends Node<?, ?>> nodes) {
    for (Node<?, ?> node : nodes) {
      if (!node.isComputing()) {
        return false;
      }
    }
    return true;
  }

  // Returns how many it may still evict.
  private int evictAround(List<Node<K, V>> passedOver, int most) {
    long weightPassedOver = 0;
    int left = most;
    Victim<K, V> victim = null;
    try {
      while (left > 0
          && (victim = order.pollOverflow(passedOver.size(), weightPassedOver)) != null) {
        if (victim.node.isComputing()) {
          passedOver.add(victim.node);
          weightPassedOver = Capacity.sum(weightPassedOver, victim.weight);
        } else {
          evict(victim);
          left--;
        }
      }
      return left;
    } catch (Throwable thrown) {
      if (victim != null
          && victim.node.state != Node.DEAD
          && (victim.node.position & Node.INSIDE) == 0) {
        order.damaged = true;
      }
      throw thrown;
    }
  }

  private void evict(Victim<K, V> victim) {
    Node<K, V> node = victim.node;
    UpdateResult<V> result = writer.updateUnlessComputing(node, victim);
    if (!node.isDead()) {
      order.add(node);
    } else if ((node.position & Node.INSIDE) != 0) {
      order.remove(node); // another thread rebuilt the order and added the node again
    }
    V evicted = result == null || !result.changed() ? null : result.previous();
    if (evicted != null) {
      observer.evicted(node.key(), evicted);
    }
  }

  /**
   * Evicts an entry that alone exceeds the bound, before it can displace all others.
   *
   * @return false if a caller's function is deciding about it
   */
  boolean evictIfHeavier(Node<K, V> node, long maximumWeight) {
    if (node.weight <= maximumWeight) {
      return true;
    }
    UpdateResult<V> result =
        writer.updateUnlessComputing(node, new RemovalIfHeavier<>(node, maximumWeight));
    if (result == null) {
      return node.isDead();
    }
    V evicted = result.changed() ? result.previous() : null;
    if (evicted != null) {
      try {
        order.remove(node);
      } catch (Throwable thrown) {
        order.damaged = true;
        throw thrown;
      }
      observer.evicted(node.key(), evicted);
    }
    return true;
  }

  // No lambda: if an error ended the linking of one, it could never be linked again.
  private record RemovalIfHeavier<K, V>(Node<K, V> node, long maximumWeight)
      implements UpdateFunction<V> {
    @Override
    public UpdateDecision<V> decide(@Nullable V current, long version) {
      return current != null && node.weight > maximumWeight
          ? UpdateDecision.remove()
          : UpdateDecision.keep();
    }
  }
}
