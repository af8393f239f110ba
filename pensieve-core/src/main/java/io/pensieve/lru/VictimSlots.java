package io.pensieve.lru;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The slots of victims. A victim keeps its slot until it is dead or comes back: its evictor has not
 * decided yet. Then a new node gets the slot. Not thread-safe.
 *
 * <p>The last victim of each thread waits in {@link #last}, older ones in {@link #older}. A thread
 * that adds a node mostly takes the slot of its own last victim, whose state no other processor has
 * written. So an evicting write takes the order's lock once, and no list of free slots moves
 * between processors. The last victim is no garbage before the thread's next eviction or removal.
 */
final class VictimSlots<K, V> {
  private static final int STRIPES = 16; // of threads
  private static final int LINE = 64 / Integer.BYTES; // of references: no two stripes share one

  private final Slots<K, V> slots;
  private final @Nullable Node<K, V>[] last = Slots.newNodes((STRIPES + 1) * LINE);
  private Deque<Node<K, V>> older = new ArrayDeque<>(); // the first one chosen first

  VictimSlots(Slots<K, V> slots) {
    this.slots = slots;
  }

  private static int stripe() {
    return (1 + ((int) Thread.currentThread().getId() & STRIPES - 1)) * LINE;
  }

  /** Keeps the slot of a node that was chosen as a victim. */
  void keep(Node<K, V> victim) {
    boolean isNew = victim.position == Node.INSIDE;
    victim.position = Node.LEAVING;
    if (isNew) {
      int stripe = stripe();
      Node<K, V> before = last[stripe];
      if (before != null) {
        older.addLast(before);
      }
      last[stripe] = victim;
    }
  }

  /** Takes a slot for a new node: that of a dead victim, or another one. */
  int take() {
    int stripe = stripe();
    Node<K, V> victim = last[stripe];
    if (victim != null && victim.position == Node.LEAVING && victim.isDead()) {
      last[stripe] = null;
      int slot = leave(victim);
      if (slot >= RecencyClock.FIRST_SLOT) {
        return slot;
      }
    }
    if (!slots.hasFree()) {
      freeDecided();
    }
    return slots.take();
  }

  /** Frees the slot of the thread's own last victim if it is dead, or else those of the oldest. */
  void freeDecided() {
    int stripe = stripe();
    Node<K, V> victim = last[stripe];
    if (victim != null && isDecided(victim)) {
      last[stripe] = null;
      return;
    }
    for (Node<K, V> oldest; (oldest = older.peekFirst()) != null && isDecided(oldest); ) {
      older.removeFirst();
    }
  }

  // Whether the node is no victim any more.
  private boolean isDecided(Node<K, V> victim) {
    if (victim.position == Node.RETURNED) {
      victim.position = Node.INSIDE;
    } else if (victim.isDead()) {
      free(victim);
    } else {
      return false;
    }
    return true;
  }

  /** Frees the slot of a dead node, if it has one. */
  void free(Node<K, V> dead) {
    int slot = leave(dead);
    if (slot >= RecencyClock.FIRST_SLOT) {
      slots.free(slot);
    }
  }

  // The node gives its slot away, so that it is freed once only.
  private static int leave(Node<?, ?> dead) {
    int slot = dead.slot();
    dead.position = Node.OUTSIDE;
    dead.slot(0);
    return slot;
  }

  /** There are no victims any more; whoever calls this frees their slots. */
  void clear() {
    older = new ArrayDeque<>();
    Arrays.fill(last, null);
  }
}
