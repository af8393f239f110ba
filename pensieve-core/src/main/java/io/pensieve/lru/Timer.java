package io.pensieve.lru;

/**
 * When an entry expires, and where the {@link TimerWheel} has it. An entry that has never had an
 * expiry has no timer; one that has had one keeps it until it dies.
 */
final class Timer<K, V> {
  final Node<K, V> node;

  /** When the entry expires. Written by the node's owner, as {@link Node} says. */
  volatile long expiryMillis;

  /**
   * When the wheel is to come back to this: never later than the expiry, but maybe earlier, because
   * an expiry that is put off is not told to the wheel. {@link Node#NEVER} if it is not to come.
   * Written by the node's owner with the monitor of {@link ExpiryOrder}, read by either.
   */
  long dueMillis = Node.NEVER;

  /** Where the wheel has this, or -1. Guarded by the monitor of {@link ExpiryOrder}. */
  short bucket = -1;

  /** Its neighbours in the ring of that bucket, or itself. Guarded likewise. */
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
}
