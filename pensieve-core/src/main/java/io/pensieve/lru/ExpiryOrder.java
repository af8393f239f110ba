package io.pensieve.lru;

import io.pensieve.annotation.GuardedBy;
import java.time.InstantSource;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Finds the entries that expire next: the timers of all nodes of a table, and the clock.
 *
 * <p>This object's monitor guards the wheel and the timers' positions in it. A thread holds it for
 * a few steps, also while it holds a node's lock. It takes no other lock meanwhile, and runs no
 * caller's code except {@code alarm}, when a timer enters the wheel.
 *
 * <p>Invariant: as long as a node has an expiry, its timer is in the wheel and due no later than
 * the node expires. The one exception: the thread that removes expired entries has just taken the
 * timer out, and then checks the node under its lock. So postponing an expiry needs no step here at
 * all.
 *
 * <p>An {@code Error} may interrupt a step, or a lock holder before it calls this class. The
 * handler then marks the order as {@link #damaged} by a plain store. The next user of the wheel
 * rebuilds it from the table.
 */
final class ExpiryOrder<K, V> {
  /** Whether the wheel must be rebuilt. Error handlers set it, without a call. */
  volatile boolean damaged;

  private final InstantSource clock;
  private final Runnable alarm;
  private final Iterable<Node<K, V>> nodes;

  /** What decides where a write leaves that to the table. Set before the table is used. */
  ExpiryRule<K, V> rule = (key, value, remainingMillis) -> Node.NEVER;

  /** Whether the table knows when its values were written. Set before the table is used. */
  boolean datesWrites;

  @GuardedBy("this")
  private @Nullable TimerWheel<K, V> wheel; // null before the first timer

  @GuardedBy("this")
  private int generation; // of the newest wheel, also of an unfinished one

  /**
   * Creates an order without timers.
   *
   * @param nodes all nodes of the table
   */
  ExpiryOrder(InstantSource clock, Runnable alarm, Iterable<Node<K, V>> nodes) {
    this.clock = clock;
    this.alarm = alarm;
    this.nodes = nodes;
  }

  long nowMillis() {
    return clock.millis();
  }

  /**
   * Returns when the node's entry expires if it is written now. Reads the clock only if necessary.
   *
   * @param current the node's value before, or null
   */
  long expiryMillis(UpdateDecision<V> write, Node<K, V> node, @Nullable V current) {
    long ttl = write.ttlMillis();
    if (ttl == Node.NEVER || write.action() == UpdateDecision.Action.WRITE_UNTIL) {
      return ttl;
    } else if (ttl == UpdateDecision.SAME_EXPIRY) {
      return node.expiryMillis();
    }
    long now = clock.millis();
    if (ttl == UpdateDecision.BY_RULE) {
      long before = current == null ? ExpiryRule.CREATED : remaining(node.expiryMillis(), now);
      ttl = rule.ttlMillis(node.key(), Objects.requireNonNull(write.value()), before);
    }
    if (ttl > 0) {
      return UpdateDecision.expiryMillis(ttl, now);
    }
    long atLeast = UpdateDecision.expiryMillis(-ttl, now);
    return current == null ? atLeast : Math.max(atLeast, node.expiryMillis());
  }

  private static long remaining(long expiryMillis, long nowMillis) {
    return expiryMillis == Node.NEVER ? Node.NEVER : Math.max(0, expiryMillis - nowMillis);
  }

  /**
   * Returns the timer that the node needs for a write with this expiry, as {@link Node#timerFor};
   * where writes are dated, it needs one in any case.
   */
  @Nullable Timer<K, V> timerOfWrite(Node<K, V> node, long expiryMillis) {
    Timer<K, V> current = node.timer();
    return current == null && datesWrites
        ? new Timer.Dated<>(node, expiryMillis)
        : node.timerFor(expiryMillis);
  }

  /** Returns the timer of an entry that is replayed, and whose date is unknown. */
  @Nullable Timer<K, V> timerOfReplay(Node<K, V> node, long expiryMillis) {
    return expiryMillis == Node.NEVER ? node.timer() : timerOfWrite(node, expiryMillis);
  }

  /** Records that a value is written now, where writes are dated. */
  void date(@Nullable Timer<K, V> timer) {
    if (timer instanceof Timer.Dated<K, V> dated) {
      dated.written(clock.millis());
    }
  }

  /** Whether this time has come. */
  boolean hasExpired(long expiryMillis) {
    return expiryMillis != Node.NEVER && clock.millis() >= expiryMillis;
  }

  /** Updates the timer after the node's expiry changed. The caller holds the node's lock. */
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

  /** Stops the timer of a node without a value. The caller holds the node's lock. */
  void disarm(Node<K, V> node) {
    Timer<K, V> timer = node.timer();
    if (timer != null && (timer.dueMillis != Node.NEVER || damaged)) {
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

  @GuardedBy("this")
  private TimerWheel<K, V> wheel() {
    TimerWheel<K, V> current = wheel;
    if (current == null || damaged) {
      current = rebuild();
      wheel = current;
    }
    return current;
  }

  // Damage during this walk is repaired by the next one. Lock holders that set or end an expiry
  // meanwhile update the wheel afterwards, but only if the timer is due too late for them. So a
  // timer never becomes due later than it was, and one that is due is in the wheel, even if its
  // node does not expire at present.
  @GuardedBy("this")
  private TimerWheel<K, V> rebuild() {
    boolean first = wheel == null && !damaged;
    damaged = false;
    generation++;
    TimerWheel<K, V> fresh = new TimerWheel<>(clock.millis(), generation);
    if (!first) {
      for (Node<K, V> node : nodes) {
        Timer<K, V> timer = node.timer();
        if (timer != null && !node.isDead() && !fresh.has(timer)) {
          timer.bucket = -1;
          timer.linkToSelf();
          timer.dueMillis = Math.min(timer.dueMillis, timer.expiryMillis);
          if (timer.dueMillis != Node.NEVER) {
            fresh.add(timer);
          }
        }
      }
    }
    return fresh;
  }

  /** Whether an expired entry may await its removal. If false, none does. */
  synchronized boolean mayBeDue() {
    return damaged || (wheel != null && wheel.mayBeDue(clock.millis()));
  }

  /** Removes and returns a timer that is due; null if none is. */
  synchronized @Nullable Timer<K, V> poll(long nowMillis) {
    try {
      return wheel == null && !damaged ? null : wheel().poll(nowMillis);
    } catch (Throwable thrown) {
      damaged = true;
      throw thrown;
    }
  }

  /** Puts a polled timer back, unless it is in the wheel or no longer needed. */
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

  /** The decision about a node whose timer was due: removes it only if it has expired. */
  UpdateFunction<V> removalIfExpired(Node<K, V> node, long nowMillis) {
    return new RemovalIfExpired<>(node, nowMillis, this);
  }

  // No lambda: if an error ended the linking of one, it could never be linked again.
  private record RemovalIfExpired<K, V>(Node<K, V> node, long nowMillis, ExpiryOrder<K, V> expiries)
      implements UpdateFunction<V> {
    @Override
    public UpdateDecision<V> decide(@Nullable V current, long version) {
      if (current != null && node.expiryMillis() <= nowMillis) {
        return UpdateDecision.remove();
      }
      expiries.armAgain(node);
      return UpdateDecision.keep();
    }
  }

  /** Whether the wheel has no timers. */
  synchronized boolean isEmpty() {
    return wheel == null || wheel.isEmpty();
  }
}
