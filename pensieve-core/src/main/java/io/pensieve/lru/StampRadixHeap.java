package io.pensieve.lru;

import org.jspecify.annotations.Nullable;

/**
 * Nodes in order of their stamps, as far as that is ever asked for: a radix heap that reads stamps
 * late. It is not told when a node's stamp grows. Not thread-safe.
 *
 * <p>How it holds together: no node has a stamp below {@link #floor}, the stamp of the node taken
 * last. A node lies in the bucket that is named by the highest digit in which its stamp differs
 * from the floor, and by the value of that digit (digits have six bits). So the lowest digit place
 * with a node in it, and there the lowest value, is where the coldest node is. To take it, the
 * floor rises to where that bucket begins, and the bucket's nodes, which now differ from the floor
 * in lower digits only, go to lower buckets: by the stamps that they have now. At the last digit
 * all nodes of a bucket have the same stamp, or have been used since and go to where they belong.
 *
 * <p>So a node is moved at most once for each digit, and at most once more for all uses since it
 * was last moved. A use by itself costs nothing here.
 */
final class StampRadixHeap<K, V> {
  private static final int DIGIT_BITS = 6; // so that one long tells which of a digit's values occur
  private static final int DIGIT_VALUES = 1 << DIGIT_BITS;
  private static final int DIGIT_MASK = DIGIT_VALUES - 1;
  private static final int DIGITS = (Long.SIZE + DIGIT_BITS - 1) / DIGIT_BITS;

  // A node's place names the wheel, too: the successor of a wheel that an error has left broken.
  private static final int GENERATION_SHIFT = 10;
  private static final int BUCKET_MASK = (1 << GENERATION_SHIFT) - 1;
  private static final int GENERATION_MASK = Short.MAX_VALUE >> GENERATION_SHIFT;

  // A bucket is a ring, named by any of its nodes: the one that was added first.
  private final @Nullable Node<K, V>[] rings = newBuckets(DIGITS * DIGIT_VALUES);
  // For each digit, a bit for each of its values that has a ring.
  private final long[] occupied = new long[DIGITS];
  private final int generation;
  private long floor;

  /**
   * An empty wheel.
   *
   * @param generation another one than that of the wheel before, where this one takes its place
   */
  StampRadixHeap(int generation) {
    this.generation = generation & GENERATION_MASK;
  }

  /** Whether the node is in here, and not in a wheel that this one has replaced. */
  boolean has(Node<K, V> node) {
    return node.bucket >>> GENERATION_SHIFT == generation;
  }

  /** The stamp for which the last node was taken; no node in here is colder. */
  long floor() {
    return floor;
  }

  /** Adds a node, which is not in here. One with a stamp below the floor counts as if at it. */
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

  /** Takes a node out, which is in here. */
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

  /** Takes out the node that was used least recently, or answers null if there is none. */
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

  // All nodes of the bucket go to lower digits, but for those that were used since.
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

  @SuppressWarnings("unchecked") // an array of a generic type cannot be made otherwise
  private static <K, V> @Nullable Node<K, V>[] newBuckets(int length) {
    return (Node<K, V>[]) new Node<?, ?>[length];
  }
}
