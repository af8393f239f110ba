package io.pensieve.lru;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The operations on one bin of a {@link NodeTable}: its markers, and its chain of links. */
final class Bin {
  // The kinds of markers, stored in place of a hash.
  static final int LOCKED = -1;
  static final int MOVING = -2;
  static final int MOVED = -3;
  static final int OVERFLOWED = -4;

  static final int CHAIN_MAX = 16;

  // More than the nested calls of an overflow map.
  private static final int OVERFLOW_FRAMES = 128;

  private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(BinLink[].class);

  private Bin() {}

  /** The marker of a bin whose nodes have moved to the larger array. */
  static final class ForwardingLink<K, V> extends BinLink<K, V> {
    final BinLink<K, V>[] larger;

    // The heads of the two chains into which a bin is split; reused for each bin.
    final BinLink<K, V> low = new BinLink<>(LOCKED, null);
    final BinLink<K, V> high = new BinLink<>(LOCKED, null);

    ForwardingLink(BinLink<K, V>[] larger) {
      super(MOVED, null);
      this.larger = larger;
    }
  }

  /** The marker in front of a full chain, which gets no more nodes. */
  static final class OverflowLink<K, V> extends BinLink<K, V> {
    final ConcurrentHashMap<K, Node<K, V>> nodes = new ConcurrentHashMap<>();

    OverflowLink(@Nullable BinLink<K, V> chain) {
      super(OVERFLOWED, chain);
    }
  }

  static <K, V> @Nullable Node<K, V> find(@Nullable BinLink<K, V> first, int hash, Object key) {
    for (BinLink<K, V> link = first; link != null; link = link.nextInBin()) {
      if (link.hash == hash && hasKey(link, key)) {
        return (Node<K, V>) link;
      }
    }
    return null;
  }

  /** Whether a node of the same hash has this key. */
  static boolean hasKey(BinLink<?, ?> link, Object key) {
    Object nodesKey = link.key;
    return nodesKey == key || key.equals(nodesKey);
  }

  /**
   * Throws if the stack might overflow inside an overflow map, while no lock is held yet. Such an
   * overflow could leave a node in the map's tree but not in its list.
   */
  static void checkStack() {
    int ignored = descend(OVERFLOW_FRAMES);
  }

  private static int descend(int frames) {
    return frames == 0 ? 0 : 1 + descend(frames - 1);
  }

  static boolean isBusy(BinLink<?, ?> first) {
    return first.hash == LOCKED || first.hash == MOVING;
  }

  /** Returns the overflow of a bin, locked or not; null if it has none, or is being moved. */
  static <K, V> @Nullable OverflowLink<K, V> overflowOf(@Nullable BinLink<K, V> first) {
    BinLink<K, V> unlocked = first != null && first.hash == LOCKED ? first.nextInBin() : first;
    return unlocked instanceof OverflowLink<K, V> overflow ? overflow : null;
  }

  static <K, V> int count(@Nullable BinLink<K, V> first) {
    int nodes = 0;
    for (BinLink<K, V> link = first; link != null; link = link.nextInBin()) {
      nodes++;
    }
    return nodes;
  }

  @SuppressWarnings("unchecked") // links of other types are never stored
  static <K, V> @Nullable BinLink<K, V> slot(BinLink<K, V>[] array, int hash) {
    return (BinLink<K, V>) SLOT.getAcquire(array, hash & array.length - 1);
  }

  /** Stores the first link of a bin that this thread has marked as locked or moving. */
  static <K, V> void set(BinLink<K, V>[] array, int hash, @Nullable BinLink<K, V> first) {
    SLOT.setRelease(array, hash & array.length - 1, first);
  }

  static <K, V> boolean replace(
      BinLink<K, V>[] array,
      int hash,
      @Nullable BinLink<K, V> expected,
      @Nullable BinLink<K, V> link) {
    return SLOT.compareAndSet(array, hash & array.length - 1, expected, link);
  }

  @SuppressWarnings("unchecked") // Java has no other way to create a generic array
  static <K, V> BinLink<K, V>[] newBins(int length) {
    return (BinLink<K, V>[]) new BinLink<?, ?>[length];
  }

  // Called with the bin locked. Returns false if the node is not behind that link.
  static <K, V> boolean unlinkBehind(BinLink<K, V> first, Node<K, V> node) {
    BinLink<K, V> before = first;
    for (BinLink<K, V> link; (link = before.nextInBin()) != null; before = link) {
      if (link == node) {
        before.nextInBin(node.nextInBin());
        return true;
      }
    }
    return false;
  }

  // Called with the bin locked. Returns the chain of all nodes if they are few, otherwise the bin's
  // marker.
  static <K, V> @Nullable BinLink<K, V> withoutOverflow(OverflowLink<K, V> overflow) {
    BinLink<K, V> first = overflow.nextInBin();
    if (count(first) + overflow.nodes.mappingCount() > CHAIN_MAX / 2) {
      return overflow;
    }
    for (Node<K, V> node : overflow.nodes.values()) {
      node.nextInBin(first);
      first = node;
    }
    return first;
  }

  // Splits a chain into two bins of the larger array; the nodes keep their order. Calls no method
  // and allocates nothing, so no error can occur in between. An asynchronous stop of the thread can
  // only occur at the loop's back edge, and the loop then continues. Writes the larger array last,
  // and at least one of its two bins.
  static <K, V> void split(
      BinLink<K, V> first,
      int bit,
      int bin,
      BinLink<K, V>[] larger,
      BinLink<K, V> low,
      BinLink<K, V> high) {
    Error stopped = null;
    boolean overflow = first.hash == OVERFLOWED;
    BinLink<K, V> lowEnd = low;
    BinLink<K, V> highEnd = high;
    BinLink<K, V> link = overflow ? first.nextInBin : first;
    do {
      try {
        while (link != null) {
          if ((link.hash & bit) == 0) {
            lowEnd.nextInBin = link;
            lowEnd = link;
          } else {
            highEnd.nextInBin = link;
            highEnd = link;
          }
          link = link.nextInBin;
        }
      } catch (Error atATurn) {
        stopped = atATurn;
      }
    } while (link != null);
    lowEnd.nextInBin = null;
    highEnd.nextInBin = null;
    larger[bin] = overflow ? low : low.nextInBin;
    larger[bin + bit] = overflow ? high : high.nextInBin;
    if (stopped != null) {
      throw stopped;
    }
  }
}
