package io.pensieve.lru;

/**
 * The expiry time of an entry and its position in the {@link TimerWheel}. An entry that never had
 * an expiry has no timer. One that had an expiry keeps its timer until it dies. In a table that
 * dates writes, written entries have a {@link Dated} one.
 */
class Timer<K, V> {
  final Node<K, V> node;

  /** When the entry expires. Written with the node's lock held, as {@link Node} describes. */
  volatile long expiryMillis;

  /**
   * When the wheel visits this timer. Never later than the expiry, but possibly earlier, because
   * postponing an expiry does not update the wheel. {@link Node#NEVER} if the wheel need not visit
   * it. Written with both the node's lock and the monitor of {@link ExpiryOrder} held; read with
   * either.
   */
  long dueMillis = Node.NEVER;

  /**
   * The bucket of the wheel that holds this timer, or -1. Guarded by the monitor of {@link
   * ExpiryOrder}.
   */
  short bucket = -1;

  /** The next timer in the ring of that bucket, or itself. Guarded likewise. */
  Timer<K, V> next = this;

  private Timer<K, V> previous = this;

  Timer(Node<K, V> node, long expiryMillis) {
    this.node = node;
    this.expiryMillis = expiryMillis;
  }

  void linkBefore(Timer<K, V> other) {
    previous = other.previous;
    next = other;
    previous.next = this;
    other.previous = this;
  }

  void unlink() {
    previous.next = next;
    next.previous = previous;
    linkToSelf();
  }

  void linkToSelf() {
    next = this;
    previous = this;
  }

  /** A timer that also knows when the value was written. */
  static final class Dated<K, V> extends Timer<K, V> {
    private static final long UNKNOWN = Long.MIN_VALUE;

    /**
     * When the value was last written, in milliseconds of the table's clock. UNKNOWN if that was
     * replayed from a log. Written with the node's lock held.
     */
    private volatile long writtenMillis = UNKNOWN;

    Dated(Node<K, V> node, long expiryMillis) {
      super(node, expiryMillis);
    }

    void written(long nowMillis) {
      writtenMillis = nowMillis;
    }

    /** Whether the value was written so long ago; if that is unknown, it was. */
    boolean isOlder(long ageMillis, long nowMillis) {
      long written = writtenMillis;
      return written == UNKNOWN || nowMillis - written >= ageMillis;
    }
  }
}
