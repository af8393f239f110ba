package io.pensieve.lru;

import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * Which entry expires next: the timers of all nodes of a table that expire, and the clock.
 *
 * <p>The monitor of this object guards the wheel and the timers' places in it. It is held for a few
 * steps, also while a node is owned; no other lock is taken meanwhile, and nothing of a caller's
 * runs, but for the very first timer: then {@code alarm} is told.
 *
 * <p>How it holds together: as long as a node expires, its timer is in the wheel, due no later than
 * the node expires, or has just been taken out by the one who removes what is due, and who then
 * looks at the node as its owner. So an expiry that is put off needs no step here at all.
 */
final class ExpiryOrder<K, V> {
  private final InstantSource clock;
  private final Runnable alarm;
  private @Nullable TimerWheel<K, V> wheel; // from the first timer on; guarded by this

  ExpiryOrder(InstantSource clock, Runnable alarm) {
    this.clock = clock;
    this.alarm = alarm;
  }

  long nowMillis() {
    return clock.millis();
  }

  /** When the entry expires if this is done now. Looks at the clock only if it must. */
  long expiryMillis(Decision<V> write) {
    return write.lifeMillis() == Node.NEVER ? Node.NEVER : write.expiryMillis(clock.millis());
  }

  /** Whether this time has come. */
  boolean isOver(long expiryMillis) {
    return expiryMillis != Node.NEVER && clock.millis() >= expiryMillis;
  }

  /** The node's expiry has changed. For the node's owner. */
  void arm(Node<K, V> node) {
    Timer<K, V> timer = node.timer();
    if (timer != null && timer.expiryMillis < timer.dueMillis) {
      link(timer, timer.expiryMillis);
    }
  }

  /** As {@link #arm}, for a timer that may be out of the wheel because it was due. */
  void armAgain(Node<K, V> node) {
    Timer<K, V> timer = node.timer();
    if (timer != null) {
      link(timer, timer.expiryMillis);
    }
  }

  /** The node is dead. For the node's owner. */
  void disarm(Node<K, V> node) {
    Timer<K, V> timer = node.timer();
    if (timer != null) {
      link(timer, Node.NEVER);
    }
  }

  private synchronized void link(Timer<K, V> timer, long dueMillis) {
    TimerWheel<K, V> timers = wheel();
    if (timer.bucket >= 0) {
      timers.remove(timer);
    }
    timer.dueMillis = dueMillis;
    if (dueMillis != Node.NEVER) {
      timers.add(timer);
    }
  }

  private TimerWheel<K, V> wheel() {
    TimerWheel<K, V> current = wheel;
    if (current == null) {
      current = new TimerWheel<>(clock.millis());
      wheel = current;
      alarm.run();
    }
    return current;
  }

  /** Takes out a timer that is due; null if none is. */
  synchronized @Nullable Timer<K, V> poll(long nowMillis) {
    return wheel == null ? null : wheel.poll(nowMillis);
  }

  /** Puts a timer back that was taken out, unless it is in or need not be. */
  synchronized void putBack(Timer<K, V> timer) {
    if (timer.bucket < 0 && timer.dueMillis != Node.NEVER) {
      wheel().add(timer);
    }
  }

  /** Whether no timer is waited for. */
  synchronized boolean isEmpty() {
    return wheel == null || wheel.isEmpty();
  }
}
