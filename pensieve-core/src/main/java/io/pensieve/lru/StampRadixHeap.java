package io.pensieve.lru;

import org.jspecify.annotations.Nullable;

/**
 * A priority queue of nodes by stamp: a radix heap (Ahuja, Mehlhorn, Orlin and Tarjan, "Faster
 * algorithms for the shortest path problem", 1990) that reads stamps lazily. A node's stamp may
 * grow at any time without a notification. Not thread-safe.
 *
 * <p>Invariant: no node has a stamp below {@link #floor}, the stamp of the node taken last. Stamps
 * are read as numbers with digits of six bits. Two numbers name a node's bucket: the highest digit
 * in which its stamp differed from the floor, and that digit's value. So the coldest node is in the
 * lowest occupied digit, and there in the lowest occupied value. To take it, the floor rises to the
 * start of that bucket. The nodes of the bucket then differ from the floor in lower digits only.
 * They move to lower buckets by their current stamps. At the last digit all nodes of a bucket have
 * the same stamp; a node that was used since moves to its new bucket.
 *
 * <p>So a node moves at most once for each digit, and at most once more for all uses since its last
 * move. A use itself costs nothing here.
 */
final class StampRadixHeap<K, V> {
  private static final int DIGIT_BITS = 6; // so that one long is a bit set of a digit's values
  private static final int DIGIT_VALUES = 1 << DIGIT_BITS;
  private static final int DIGIT_MASK = DIGIT_VALUES - 1;
  private static final int DIGITS = (Long.SIZE + DIGIT_BITS - 1) / DIGIT_BITS;

  // A node's bucket number includes the heap's generation: a heap may replace one that an error
  // left broken.
  private static final int GENERATION_SHIFT = 10;
  private static final int BUCKET_MASK = (1 << GENERATION_SHIFT) - 1;
  private static final int GENERATION_MASK = Short.MAX_VALUE >> GENERATION_SHIFT;

  // A bucket is a circular list. The array holds the node that was added first.
  private final @Nullable Node<K, V>[] rings = newBuckets(DIGITS * DIGIT_VALUES);
  // For each digit, a bit for each value whose bucket is not empty.
  private final long[] occupied = new long[DIGITS];
  private final int generation;
  private long floor;

  /**
   * Creates an empty heap.
   *
   * @param generation differs from that of the heap that this one replaces
   */
  StampRadixHeap(int generation) {
    this.generation = generation & GENERATION_MASK;
  }

  /** Whether the node is in this heap, and not in a heap that this one replaced. */
  boolean has(Node<K, V> node) {
    return node.bucket >>> GENERATION_SHIFT == generation;
  }

  /** The stamp with which the last node was taken; no node here is colder. */
  long floor() {
    return floor;
  }

  /** Adds a node that is not in this heap. A stamp below the floor counts as the floor. */
  void add(Node<K, V> node) {
    assert !has(node);
    long stamp = Math.max(node.stamp(), floor);
    int highestDifference = Long.SIZE - 1 - Long.numberOfLeadingZeros((stamp ^ floor) | 1);
    int digit = highestDifference / DIGIT_BITS;
    int value = (int) (stamp >>> (digit * DIGIT_BITS)) & DIGIT_MASK;
    int bucket = digit * DIGIT_VALUES + value;
    Node<K, V> first = rings[bucket];
    if (first == null) {
      rings[bucket] = node;
      occupied[digit] |= 1L << value;
    } else {
      node.linkBefore(first);
    }
    node.bucket = (short) (generation << GENERATION_SHIFT | bucket);
  }

  /** Removes a node that is in this heap. */
  void remove(Node<K, V> node) {
    int bucket = node.bucket & BUCKET_MASK;
    Node<K, V> next = node.next;
    if (next == node) {
      clear(bucket);
    } else {
      if (rings[bucket] == node) {
        rings[bucket] = next;
      }
      node.unlink();
    }
    node.bucket = -1;
  }

  /** Removes and returns the least recently used node, or null if the heap is empty. */
  @Nullable Node<K, V> removeColdest() {
    for (int digit = 0; digit < DIGITS; ) {
      if (occupied[digit] == 0) {
        digit++;
      } else if (digit == 0) {
        Node<K, V> node = removeFromLastDigit();
        if (node.stamp() <= floor) {
          return node;
        }
        add(node);
      } else {
        spreadLowest(digit);
        digit = 0;
      }
    }
    return null;
  }

  private Node<K, V> removeFromLastDigit() {
    int value = Long.numberOfTrailingZeros(occupied[0]);
    floor = (floor & -DIGIT_VALUES) | value;
    Node<K, V> node = rings[value];
    assert node != null;
    remove(node);
    return node;
  }

  // All nodes of the bucket move to lower digits, except those that were used since.
  private void spreadLowest(int digit) {
    int value = Long.numberOfTrailingZeros(occupied[digit]);
    int bucket = digit * DIGIT_VALUES + value;
    Node<K, V> first = rings[bucket];
    assert first != null;
    clear(bucket);
    long above = (long) -DIGIT_VALUES << (digit * DIGIT_BITS);
    floor = (floor & above) | ((long) value << (digit * DIGIT_BITS));
    Node<K, V> node = first;
    do {
      Node<K, V> next = node.next;
      node.bucket = -1;
      node.linkToSelf();
      add(node);
      node = next;
    } while (node != first);
  }

  private void clear(int bucket) {
    rings[bucket] = null;
    occupied[bucket / DIGIT_VALUES] &= ~(1L << bucket % DIGIT_VALUES);
  }

  @SuppressWarnings("unchecked") // Java has no other way to create a generic array
  private static <K, V> @Nullable Node<K, V>[] newBuckets(int length) {
    return (Node<K, V>[]) new Node<?, ?>[length];
  }
}
