package io.pensieve.lru;

import io.pensieve.lru.EvictionOrder.Victim;
import java.util.ArrayList;
import java.util.List;

/** Evicts what is too many, or too heavy. Called by threads that own nothing. */
final class Evictor<K, V> {
  private static final int FAILURES_MAX = 3; // that evict nothing, before it is given up

  private final EvictionOrder<K, V> order;
  private final NodeWriter<K, V> writer;
  private final RemovalObserver<K, V> observer;

  Evictor(EvictionOrder<K, V> order, NodeWriter<K, V> writer, RemovalObserver<K, V> observer) {
    this.order = order;
    this.writer = writer;
    this.observer = observer;
  }

  /** The node has a value, and is new: it gets into the order, and what is too many goes. */
  void addAndEvict(Node<K, V> node) {
    Victim<K, V> victim = null;
    try {
      victim = order.addAndPollOverflow(node);
      if (victim != null) {
        evict(victim);
      }
    } catch (Throwable thrown) {
      // What the journal has refused is back in order. What an error has left out is not.
      if ((node.state != Node.DEAD && node.bucket < 0)
          || (victim != null && victim.node.state != Node.DEAD && victim.node.bucket < 0)) {
        order.damaged = true;
      }
      evictOverflowAfter(thrown);
      throw thrown;
    }
    evictOverflow();
  }

  /** As {@link #evictOverflow}, for a thread that is about to throw what came first. */
  void evictOverflowAfter(Throwable first) {
    try {
      evictOverflow();
    } catch (Throwable alsoRefused) {
      // Whoever writes next evicts. The caller learns of what came first.
    }
  }

  /**
   * Evicts until the bound holds. A victim that was used after it was chosen stays, and another one
   * goes. If the journal fails, the victim stays, and so does the overflow. Any other error may be
   * one victim's alone, so the next one is tried before the first error is thrown.
   *
   * <p>Entries that a caller's function is deciding about are passed over, because it may take as
   * long as it likes. Their overflow is not forgotten: this thread writes the order's size and then
   * reads the node's state, and the thread that decides writes the state and then reads the size,
   * all four of them volatile. So this thread sees that the decision is over, and tries again, or
   * the other one sees the overflow. (If the decision was to remove, both take the order's monitor,
   * and whoever is second sees what the first did.) Plain writes are not passed over, but waited
   * for: they hold a node for no longer than the journal takes.
   */
  void evictOverflow() {
    Throwable first = null;
    for (int failures = 0; order.isOverfull(); ) {
      int size = order.size();
      List<Node<K, V>> passedOver = new ArrayList<>(0);
      try {
        evictAround(passedOver);
        order.addAll(passedOver);
        if (areAllComputing(passedOver)) { // after they are back in order, not before
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
    } else if (first != null) {
      throw (RuntimeException) first; // nothing that is called here throws a checked one
    }
  }

  private static boolean areAllComputing(List<? extends Node<?, ?>> nodes) {
    for (Node<?, ?> node : nodes) {
      if (!node.isComputing()) {
        return false;
      }
    }
    return true;
  }

  private void evictAround(List<Node<K, V>> passedOver) {
    long weightPassedOver = 0;
    Victim<K, V> victim = null;
    try {
      while ((victim = order.pollOverflow(passedOver.size(), weightPassedOver)) != null) {
        if (victim.node.isComputing()) {
          passedOver.add(victim.node);
          weightPassedOver += victim.weight;
        } else {
          evict(victim);
        }
      }
    } catch (Throwable thrown) {
      if (victim != null && victim.node.state != Node.DEAD && victim.node.bucket < 0) {
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
    } else if (node.bucket >= 0) {
      order.remove(node); // it was built anew meanwhile, and has the node again
    }
    V evicted = result == null || !result.changed() ? null : result.previous();
    if (evicted != null) {
      observer.evicted(node.key(), evicted);
    }
  }

  /** Evicts the entries that are too heavy alone, lest they drive out all others before they go. */
  void evictTooHeavy(Iterable<Node<K, V>> nodes, long maximumWeight) {
    for (Node<K, V> node : nodes) {
      if (node.weight > maximumWeight) {
        evict(new Victim<>(node, node.stamp(), node.weight));
        order.remove(node);
      }
    }
  }
}
