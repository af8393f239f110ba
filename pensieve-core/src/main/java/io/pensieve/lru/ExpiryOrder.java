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
 *
 * <p>If an {@code Error} ends a step midway, or an owner before it has come here, the handler says
 * by a plain store that the order is {@link #damaged}. Whoever needs the wheel next builds it anew
 * from the table.
 */
final class ExpiryOrder<K, V> {
  /** Whether this is to be built anew. Set by handlers of errors, which need no call for that. */
  volatile boolean damaged;

  private final InstantSource clock;
  private final Runnable alarm;
  private final Iterable<Node<K, V>> nodes;
  private @Nullable TimerWheel<K, V> wheel; // from the first timer on; guarded by this
  private int generation; // of the newest wheel, also of one that was not finished; likewise

  /**
   * No timers yet.
   *
   * @param nodes all of the table
   */
  ExpiryOrder(InstantSource clock, Runnable alarm, Iterable<Node<K, V>> nodes) {
    this.clock = clock;
    this.alarm = alarm;
    this.nodes = nodes;
  }

  long nowMillis() {
    return clock.millis();
  }

  /** When the entry expires if this is done now. Looks at the clock only if it must. */
  long expiryMillis(UpdateDecision<V> write) {
    return write.ttlMillis() == Node.NEVER ? Node.NEVER : write.expiryMillis(clock.millis());
  }

  /** Whether this time has come. */
  boolean hasExpired(long expiryMillis) {
    return expiryMillis != Node.NEVER && clock.millis() >= expiryMillis;
  }

  /** The node's expiry has changed. For the node's owner. */
  void arm(Node<K, V> node) {
    Timer<K, V> timer = node.timer();
    if (timer != null && (timer.expiryMillis < timer.dueMillis || damaged)) {
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
    try {
      TimerWheel<K, V> timers = wheel();
      if (timers.has(timer)) {
        timers.remove(timer);
      }
      timer.dueMillis = dueMillis;
      if (dueMillis != Node.NEVER) {
        timers.add(timer);
        alarm.run();
      }
    } catch (Throwable thrown) {
      damaged = true;
      throw thrown;
    }
  }

  private TimerWheel<K, V> wheel() {
    TimerWheel<K, V> current = wheel;
    if (current == null || damaged) {
      current = rebuild();
      wheel = current;
    }
    return current;
  }

  // What is damaged while this walks is seen by the next one. Owners that set or end an expiry
  // meanwhile come here afterwards. A timer is never made due later than it was.
  private TimerWheel<K, V> rebuild() {
    boolean first = wheel == null && !damaged;
    damaged = false;
    generation++;
    TimerWheel<K, V> fresh = new TimerWheel<>(clock.millis(), generation);
    if (!first) {
      for (Node<K, V> node : nodes) {
        Timer<K, V> timer = node.timer();
        if (timer != null
            && node.value() != null
            && timer.expiryMillis != Node.NEVER
            && !fresh.has(timer)) {
          timer.dueMillis = Math.min(timer.dueMillis, timer.expiryMillis);
          timer.linkToSelf();
          fresh.add(timer);
        }
      }
    }
    return fresh;
  }

  /** Whether an entry may wait to be removed, for its time is over. If not, none does. */
  synchronized boolean mayBeDue() {
    return damaged || (wheel != null && wheel.mayBeDue(clock.millis()));
  }

  /** Takes out a timer that is due; null if none is. */
  synchronized @Nullable Timer<K, V> poll(long nowMillis) {
    try {
      return wheel == null && !damaged ? null : wheel().poll(nowMillis);
    } catch (Throwable thrown) {
      damaged = true;
      throw thrown;
    }
  }

  /** Puts a timer back that was taken out, unless it is in or need not be. */
  synchronized void putBack(Timer<K, V> timer) {
    try {
      TimerWheel<K, V> timers = wheel();
      if (!timers.has(timer) && timer.dueMillis != Node.NEVER) {
        timers.add(timer);
      }
    } catch (Throwable thrown) {
      damaged = true;
      throw thrown;
    }
  }

  /** Whether no timer is waited for. */
  synchronized boolean isEmpty() {
    return wheel == null || wheel.isEmpty();
  }
}
