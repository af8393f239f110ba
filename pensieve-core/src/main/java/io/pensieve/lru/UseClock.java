package io.pensieve.lru;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The logical clock that stamps entries with the time of their last use.
 *
 * <p>As long as one thread alone uses the table, every use gets a stamp of its own from a plain
 * counter: the order of stamps is exactly the order of uses. From the moment a second thread is
 * seen, stamps come from a shared counter, and an entry that was stamped within the last {@link
 * #slack} ticks is left alone, so that hot entries and the counter are not written again and again.
 * An entry may then seem colder than it is by at most {@code slack} ticks, and a tick is one use of
 * one entry: at most {@code slack} entries can be taken for hotter than it wrongly.
 *
 * <p>The shared counter begins above every stamp that the sole thread can give, so the order stays
 * right across the change, but for one use that the sole thread may be in the middle of.
 */
final class UseClock {
  private static final long SHARED_TICKS_BEGIN = 1L << 62;
  private static final VarHandle SHARED_TICKS;

  static {
    try {
      SHARED_TICKS =
          MethodHandles.lookup().findVarHandle(UseClock.class, "sharedTicks", long.class);
    } catch (ReflectiveOperationException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  private final long slack;

  // Written under the class's monitor. Read without: a stale answer costs a call of sharedTick.
  private @Nullable Thread soleThread;
  private boolean shared;

  // Only the sole thread writes it, and the thread that opens the table, before it is published.
  private long soleTicks;

  @SuppressWarnings("unused") // by SHARED_TICKS
  private volatile long sharedTicks = SHARED_TICKS_BEGIN;

  UseClock(long slack) {
    this.slack = slack;
  }

  /** Notes that an entry has been used now. */
  void stamp(Node<?, ?> node) {
    if (Thread.currentThread() == soleThread) {
      node.stamp(++soleTicks);
    } else if (isSoleThread()) {
      stamp(node);
    } else {
      long now = (long) SHARED_TICKS.getOpaque(this);
      if (now - node.stamp() > slack) {
        node.stamp((long) SHARED_TICKS.getAndAdd(this, 1L) + 1);
      }
    }
  }

  /**
   * Whether the current thread is the first that ever asks; if not, the clock is shared for good.
   */
  private boolean isSoleThread() {
    if (shared) {
      return false;
    }
    synchronized (this) {
      if (soleThread == null && !shared) {
        soleThread = Thread.currentThread();
        return true;
      }
      shared = true;
      soleThread = null;
      return false;
    }
  }

  /** Whether a sole thread gave this stamp, so that stamps up to it are in the order of uses. */
  static boolean isOfSoleThread(long stamp) {
    return stamp < SHARED_TICKS_BEGIN;
  }

  /** Every stamp from now on is above this one. Before the table is used. */
  void startAfter(long stamp) {
    soleTicks = stamp;
  }
}
