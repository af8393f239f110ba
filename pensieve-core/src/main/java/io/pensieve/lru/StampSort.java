package io.pensieve.lru;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Sorts nodes by the stamps that they had when they were added. For walks over the whole table, in
 * the LRU order.
 */
final class StampSort<K, V> {
  // A radix sort, byte by byte, the lowest first, of stamps and of their nodes' places. It is
  // stable. Bytes that are the same in all stamps are passed over, which leaves three or four. It
  // reads in order, where a comparison sort misses the cache at each look.

  private static final int BYTE_VALUES = 1 << Byte.SIZE;
  private static final int BYTE_MASK = BYTE_VALUES - 1;
  private static final int NODES_MIN = 16;

  private Node<K, V>[] nodes;
  private long[] stamps;
  private int count;
  private long differences; // the bits in which two stamps differ

  /** For about so many nodes. */
  StampSort(int expected) {
    int length = Math.max(NODES_MIN, expected);
    nodes = newArray(length);
    stamps = new long[length];
  }

  @SuppressWarnings("unchecked") // holds nodes only
  private static <K, V> Node<K, V>[] newArray(int length) {
    return (Node<K, V>[]) new Node<?, ?>[length];
  }

  void add(Node<K, V> node, long stamp) {
    if (count == nodes.length) {
      nodes = Arrays.copyOf(nodes, 2 * count);
      stamps = Arrays.copyOf(stamps, 2 * count);
    }
    long unsigned = stamp ^ Long.MIN_VALUE; // so that bytes are in the order of the stamps
    nodes[count] = node;
    stamps[count] = unsigned;
    differences |= unsigned ^ stamps[0];
    count++;
  }

  /**
   * The nodes, the lowest stamp first; those of equal stamps in the order of their addition. To be
   * called once.
   */
  List<Node<K, V>> ascending() {
    int[] places = new int[count];
    for (int place = 0; place < count; place++) {
      places[place] = place;
    }
    int[] otherPlaces = new int[count];
    long[] otherStamps = new long[count];
    for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
      if ((differences >>> shift & BYTE_MASK) != 0) {
        distribute(shift, places, otherStamps, otherPlaces);
        int[] sortedPlaces = otherPlaces;
        long[] sortedStamps = otherStamps;
        otherPlaces = places;
        otherStamps = stamps;
        places = sortedPlaces;
        stamps = sortedStamps;
      }
    }
    Node<K, V>[] sorted = newArray(count);
    for (int i = 0; i < count; i++) {
      sorted[i] = nodes[places[i]];
    }
    return Collections.unmodifiableList(Arrays.asList(sorted));
  }

  /** Copies stamps and places to other arrays, in the order of one byte of the stamps. */
  private void distribute(int shift, int[] places, long[] toStamps, int[] toPlaces) {
    int[] next = new int[BYTE_VALUES + 1];
    for (int i = 0; i < count; i++) {
      next[(int) (stamps[i] >>> shift & BYTE_MASK) + 1]++;
    }
    for (int value = 0; value < BYTE_VALUES; value++) {
      next[value + 1] += next[value];
    }
    for (int i = 0; i < count; i++) {
      int to = next[(int) (stamps[i] >>> shift & BYTE_MASK)]++;
      toStamps[to] = stamps[i];
      toPlaces[to] = places[i];
    }
  }
}
