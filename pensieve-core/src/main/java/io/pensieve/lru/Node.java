package io.pensieve.lru;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * An entry of the table.
 *
 * <p>Consistency of value and version: a thread that changes the entry holds the node's lock, which
 * is {@link #state}. A change first writes {@link #version} as a negative number, then {@link
 * #value}, then the final version. A reader loads the value first (acquire) and the version second.
 * So the version it sees is at least that of the value. If that version is durable, so is the
 * value. A reader that needs a matching pair ({@link #read}) loads the version before and after. If
 * both loads are equal and not negative, no thread wrote in between.
 *
 * <p>The expiry is written after the value and read before it. So a reader never combines an old
 * value with the expiry time of a new one. If a reader finds an expired time, and the same time
 * again later, no live value existed in between.
 *
 * <p>A node has no value before the change sink has its first change, and none after its last.
 * Readers treat such a node as absent. A {@linkplain #isDead dead} node never comes back: the same
 * key gets a new node.
 *
 * <p>Locking a node costs one atomic operation, half of what a monitor costs, and none for a new
 * node. A waiter spins for a moment, then waits at one of the {@link #MONITORS}. A thread holds
 * such a monitor only long enough to wait or to notify. So a thread that notifies others never
 * waits for what they do next. A plain change unlocks without a fence. It can miss a thread that is
 * about to wait, so every waiter rechecks after some milliseconds.
 *
 * <p>If an {@code Error} ends a change, the lock holder may have neither stack nor heap. It unlocks
 * the node by plain stores to {@link #state} and to the fields of the value, with {@link #fence} in
 * between. It notifies no waiter: waiters recheck on their own.
 */
public final class Node<K, V> extends BinLink<K, V> {
  /** The expiry of an entry that does not expire. */
  public static final long NEVER = Long.MAX_VALUE;

  private static final VarHandle VALUE;
  private static final VarHandle VERSION;
  private static final VarHandle TIMER;
  private static final VarHandle SLOT;
  private static final VarHandle STATE;
  private static final VarHandle HAS_WAITERS;

  private static final int READ_TRIES_MAX = 100;

  /** The state of an unlocked node. */
  static final byte IDLE = 0;

  // Only in this state can the change sink have a change that readers do not see yet.
  private static final byte CHANGING = 1; // for as long as the change sink takes

  private static final byte COMPUTING = 2; // for as long as a caller's function takes

  /** The state of a node that has left the table for good, or is about to. */
  static final byte DEAD = 3;

  private static final int SPINS = 100; // a change without a log takes less
  private static final long WAIT_MILLIS_MAX = 64;

  /**
   * The monitors at which threads wait for nodes, by hash. No caller's code runs while one is held.
   */
  private static final Object[] MONITORS = // a power of two
      IntStream.range(0, 64).mapToObj(i -> new Object()).toArray();

  /**
   * For error handlers, which must not call methods. A store to this field orders the plain stores
   * before it before those after it.
   */
  static volatile byte fence;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      VALUE = lookup.findVarHandle(BinLink.class, "value", Object.class);
      VERSION = lookup.findVarHandle(Node.class, "version", long.class);
      TIMER = lookup.findVarHandle(BinLink.class, "timer", Timer.class);
      SLOT = lookup.findVarHandle(BinLink.class, "slot", int.class);
      STATE = lookup.findVarHandle(Node.class, "state", byte.class);
      HAS_WAITERS = lookup.findVarHandle(Node.class, "hasWaiters", boolean.class);
    } catch (ReflectiveOperationException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  /** Accessed by VERSION, or by an error handler. */
  long version;

  /**
   * The weight of the entry, if entries are weighed. Changed by the holder of the node's lock
   * alone, who holds the eviction order's lock, too, as soon as the order may have the node.
   */
  long weight;

  /** The lock state: one of the constants above. Accessed by STATE, or by an error handler. */
  byte state;

  /**
   * Where the eviction order has the node: one of the constants below. Guarded by that order's
   * lock; error handlers read it without.
   */
  byte position;

  /** Not in the order, or not yet. */
  static final byte OUTSIDE = 0;

  /** In the order. This is also the bit that both positions in the order have. */
  static final byte INSIDE = 1;

  /** Chosen as a victim, and not in the order. */
  static final byte LEAVING = 2;

  /** In the order again, and still among the victims. */
  static final byte RETURNED = 3;

  // Whether a thread waits for the end of a change.
  @SuppressWarnings("unused") // accessed by HAS_WAITERS
  private boolean hasWaiters;

  private Node(K key, byte state) {
    super(key);
    this.state = state;
  }

  /** Creates an unlocked node. */
  Node(K key) {
    this(key, IDLE);
  }

  /**
   * Creates a node locked by the current thread, as after {@link #lock}.
   *
   * @param computing whether a caller's function will take part
   */
  Node(K key, boolean computing) {
    this(key, computing ? COMPUTING : CHANGING);
  }

  /** The entry's key. */
  public K key() {
    K present = key;
    assert present != null : "only markers have no key";
    return present;
  }

  /** The entry's value, or null before the first change and after the last. */
  @SuppressWarnings("unchecked") // only set writes the field
  public @Nullable V value() {
    return (V) VALUE.getAcquire(this);
  }

  /** The version of the value that this thread last read, or a later one. */
  public long version() {
    return Math.abs((long) VERSION.getOpaque(this));
  }

  /**
   * The fields of a node as one change left them.
   *
   * @param expiryMillis when the entry expires, or {@link #NEVER}
   */
  public record Snapshot<V>(V value, long version, long expiryMillis) {}

  /** Reads a consistent snapshot of the node; null if it has no value. */
  public @Nullable Snapshot<V> read() {
    for (int tries = 0, turns = 0; ; tries++) {
      long before = (long) VERSION.getAcquire(this);
      long expiry = expiryMillis();
      V current = value();
      if (before >= 0 && before == (long) VERSION.getOpaque(this)) {
        return reading(current, before, expiry);
      }
      if (tries < READ_TRIES_MAX) {
        Thread.onSpinWait();
      } else {
        turns = SpinWait.once(turns); // a writer was preempted between two stores
      }
    }
  }

  private static <V> @Nullable Snapshot<V> reading(@Nullable V value, long version, long expiry) {
    return value == null ? null : new Snapshot<>(value, version, expiry);
  }

  /**
   * When the entry expires, in milliseconds since 1970-01-01T00:00Z, or {@link #NEVER}. A later
   * call of {@link #value} returns the value that expires then, or a newer one.
   */
  public long expiryMillis() {
    Timer<K, V> current = timer();
    return current == null ? NEVER : current.expiryMillis;
  }

  /**
   * Whether the value was written so many milliseconds before now, or more, in a table that dates
   * writes. A value that was replayed from a log is older than any time.
   */
  public boolean isOlder(long ageMillis, long nowMillis) {
    return !(timer() instanceof Timer.Dated<K, V> dated) || dated.isOlder(ageMillis, nowMillis);
  }

  @SuppressWarnings("unchecked") // only set writes the field
  @Nullable Timer<K, V> timer() {
    return (Timer<K, V>) TIMER.getAcquire(this);
  }

  /** See {@link BinLink#slot}. */
  int slot() {
    return (int) SLOT.getAcquire(this);
  }

  void slot(int newSlot) {
    SLOT.setRelease(this, newSlot);
  }

  /**
   * Returns the timer that the node needs for this expiry: its own, or a new one that it does not
   * have yet. Called with the lock held, before the change sink gets the change: no allocation may
   * follow later.
   */
  @Nullable Timer<K, V> timerFor(long newExpiryMillis) {
    Timer<K, V> current = timer();
    return current == null && newExpiryMillis != NEVER
        ? new Timer<>(this, newExpiryMillis)
        : current;
  }

  /** Sets all fields. The caller holds the lock. */
  void set(@Nullable V newValue, long newExpiryMillis, long newVersion) {
    set(newValue, timerFor(newExpiryMillis), newExpiryMillis, newVersion);
  }

  /**
   * Sets all fields. The caller holds the lock.
   *
   * @param newTimer what {@link #timerFor} returned for this expiry
   */
  void set(
      @Nullable V newValue, @Nullable Timer<K, V> newTimer, long newExpiryMillis, long newVersion) {
    VERSION.setOpaque(this, -newVersion);
    VALUE.setRelease(this, newValue);
    if (newTimer != null) {
      newTimer.expiryMillis = newExpiryMillis;
      TIMER.setRelease(this, newTimer);
    }
    VERSION.setRelease(this, newVersion);
  }

  /** Whether the node has left the table for good, or is about to. */
  boolean isDead() {
    return (byte) STATE.getAcquire(this) == DEAD;
  }

  /** Whether a caller's function is deciding about this key, and may take long. */
  boolean isComputing() {
    return (byte) STATE.getVolatile(this) == COMPUTING;
  }

  /**
   * Locks the node for a change, and waits for the current lock holder. A thread that runs a
   * caller's function for the same table never calls this.
   *
   * @param computing whether a caller's function takes part
   * @return whether the node is locked now; if not, it is dead
   */
  boolean lock(boolean computing) {
    return lock(computing ? COMPUTING : CHANGING, false);
  }

  /**
   * Locks the node for a change without a function, unless it is locked or dead. The
   * compare-and-set is the last call.
   */
  boolean tryLock() {
    return STATE.compareAndSet(this, IDLE, CHANGING);
  }

  /**
   * As {@link #lock} without a function, but returns false instead of waiting for a caller's
   * function.
   */
  boolean tryLockUnlessComputing() {
    return lock(CHANGING, true);
  }

  private boolean lock(byte newState, boolean unlessComputing) {
    return STATE.compareAndSet(this, IDLE, newState) || lockContended(newState, unlessComputing);
  }

  // The compare-and-exchange is the last call before `return true`: no error can follow it.
  private boolean lockContended(byte newState, boolean unlessComputing) {
    for (int turns = 0; ; turns++) {
      byte present = (byte) STATE.compareAndExchange(this, IDLE, newState);
      if (present == IDLE) {
        return true;
      } else if (present == DEAD || (present == COMPUTING && unlessComputing)) {
        return false;
      } else if (turns < SPINS) {
        Thread.onSpinWait();
      } else {
        awaitEnd(unlessComputing);
      }
    }
  }

  /** Waits until no function is deciding about this key. The caller holds no lock. */
  void awaitFunction() {
    while (isComputing()) {
      awaitEnd(false);
    }
  }

  private void awaitEnd(boolean unlessComputing) {
    boolean interrupted = false;
    try {
      synchronized (monitor()) {
        HAS_WAITERS.setVolatile(this, true);
        for (long millis = 1;
            isLocked(unlessComputing);
            millis = Math.min(2 * millis, WAIT_MILLIS_MAX)) {
          try {
            monitor().wait(millis);
          } catch (InterruptedException goOnWaiting) {
            interrupted = true;
          }
          HAS_WAITERS.setVolatile(this, true);
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Whether the change sink may have a change of this key that is not visible yet. */
  boolean isChanging() {
    return isLocked(true);
  }

  private boolean isLocked(boolean unlessComputing) {
    byte present = (byte) STATE.getVolatile(this);
    return present == CHANGING || (present == COMPUTING && !unlessComputing);
  }

  private Object monitor() {
    return MONITORS[hash & MONITORS.length - 1];
  }

  /**
   * Marks that the caller's function decided on a change, before the change sink gets it. The
   * caller holds the lock.
   */
  void beginChange() {
    STATE.setVolatile(this, CHANGING); // before this thread checks for an overflow
  }

  /** Unlocks the node and wakes the waiters. The caller holds the lock. */
  void unlockAndWake() {
    unlock();
    wakeWaiters();
  }

  /**
   * Unlocks the node without waking the waiters. The caller holds the lock. The store is the last
   * call.
   */
  void unlock() {
    if (state == COMPUTING) {
      STATE.setVolatile(this, IDLE); // before this thread checks for an overflow
    } else {
      STATE.setRelease(this, IDLE);
    }
  }

  /** Marks the node dead. The caller holds the lock; no thread can lock the node afterwards. */
  void die() {
    STATE.setRelease(this, DEAD);
  }

  /**
   * Wakes the threads that wait for a change. Called with or without the lock: it waits for no
   * function.
   */
  void wakeWaiters() {
    if ((boolean) HAS_WAITERS.getOpaque(this)) {
      synchronized (monitor()) {
        HAS_WAITERS.setOpaque(this, false);
        monitor().notifyAll();
      }
    }
  }

  /** Whether the change of this version, or a later one, is completely visible. */
  public boolean hasReached(long changed) {
    return (long) VERSION.getAcquire(this) >= changed;
  }

  /**
   * If the change sink may have a change of this key that is not visible yet: waits until that
   * change is visible or has failed. Does not wait for a function: the change sink does not have
   * its change yet.
   */
  public void awaitUnlocked() {
    if (!isLocked(true) || !lock(CHANGING, true)) {
      return;
    }
    try {
      unlock();
    } catch (Throwable thrown) {
      state = IDLE;
      throw thrown;
    }
    wakeWaiters();
  }
}
