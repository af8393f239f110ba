package io.pensieve.lru;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * One link of a bin's chain: a {@link Node}, or a marker that states what is happening to the bin.
 *
 * <p>The fields that a hit reads are here, because the virtual machine puts the fields of a
 * superclass first: so they are next to each other, and mostly in one cache line. In a marker they
 * are null. {@link Node} says how they are accessed.
 */
class BinLink<K, V> {
  private static final VarHandle NEXT_IN_BIN;

  static {
    try {
      NEXT_IN_BIN = MethodHandles.lookup().findVarHandle(BinLink.class, "nextInBin", BinLink.class);
    } catch (ReflectiveOperationException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  /** A node's hash, zero or more; for a marker its kind, below zero. */
  final int hash;

  /**
   * Accessed by NEXT_IN_BIN; as a plain field while a bin is moved, where no method may be called.
   */
  @Nullable BinLink<K, V> nextInBin;

  /** A node's key. */
  final @Nullable K key;

  /**
   * Accessed by {@code Node.VALUE}; as a plain field only in error handlers, as are the fields
   * marked likewise.
   */
  @Nullable V value;

  /**
   * Null until the entry first gets an expiry. The lock holder writes it by {@code Node.TIMER};
   * error handlers by a plain store.
   */
  @Nullable Timer<K, V> timer;

  /**
   * Where the clock has the stamp of this entry. 0 in a node that is new or has died; below 0 if it
   * is in no order yet, and has the lower bits of its stamp here. Accessed by {@code Node.SLOT}.
   */
  @SuppressWarnings("unused") // accessed by SLOT
  int slot;

  /** Creates a marker. */
  BinLink(int hash, @Nullable BinLink<K, V> nextInBin) {
    this.hash = hash;
    this.nextInBin = nextInBin;
    this.key = null;
  }

  /** Creates a node. */
  BinLink(K key) {
    this.hash = hash(key);
    this.key = key;
  }

  /** The hash of a key, as a node's constructor takes it. */
  static int hash(Object key) {
    int code = key.hashCode();
    return (code ^ code >>> 16) & Integer.MAX_VALUE;
  }

  @SuppressWarnings("unchecked") // only the setter writes the field
  @Nullable BinLink<K, V> nextInBin() {
    return (BinLink<K, V>) NEXT_IN_BIN.getAcquire(this);
  }

  void nextInBin(@Nullable BinLink<K, V> next) {
    NEXT_IN_BIN.setRelease(this, next);
  }
}
