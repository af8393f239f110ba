package io.pensieve.lru;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * An entry of the table.
 *
 * <p>How it holds together: who changes the key's entry owns the node meanwhile, by its {@link
 * #state}. A change writes {@link #version} first, negative, then {@link #value}, and at last the
 * version as it is. A reader takes the value first (acquire) and the version second, so the version
 * it sees is at least that of the value: if that version is durable, so is the value. Who needs
 * both as they belong together ({@link #read}) takes the version before and after: if it is the
 * same and not negative, nothing was written meanwhile.
 *
 * <p>The expiry is written after the value, and read before it. So a reader never takes an old
 * value for one that has a new life; and if it finds a time that is over, and the same time once
 * more after that, there was no value then that still lived.
 *
 * <p>A node has no value before its first change is in the journal and after its last; readers take
 * it for absent. Once {@linkplain #isDead dead} it never comes back: the same key gets a new node.
 *
 * <p>Owning is a lock that costs one atomic operation, half as many as a monitor, and none for a
 * new node. A thread that has to wait spins for a moment, then waits at one of the {@link
 * #MONITORS}, which nobody holds for longer than it takes to wait or to wake: so an owner that
 * wakes others never waits for what they do next. A plain change ends without a fence, so that it
 * may miss a thread that is just about to wait; therefore every waiter looks again by itself after
 * some milliseconds.
 *
 * <p>If an {@code Error} ends a change, the owner may have neither stack nor heap. It gives the
 * node back by plain stores to {@link #state} and the fields of the value, with {@link #fence} in
 * between, and wakes nobody: waiters look again by themselves.
 */
public final class Node<K, V> extends BinLink<K, V> {
  /** The expiry of an entry that does not expire. */
  public static final long NEVER = Long.MAX_VALUE;

  private static final VarHandle VALUE;
  private static final VarHandle VERSION;
  private static final VarHandle TIMER;
  private static final VarHandle STAMP;
  private static final VarHandle STATE;
  private static final VarHandle HAS_WAITERS;

  private static final int READ_TRIES_MAX = 100;

  /** The state of a node that nobody owns. */
  static final byte IDLE = 0;

  // Only a node in this state has a change that the journal knows and readers do not see yet.
  private static final byte CHANGING = 1; // for as long as the journal takes

  private static final byte COMPUTING = 2; // for as long as a caller's function takes

  /** The state of a node that is out of the table for good, or about to be. */
  static final byte DEAD = 3;

  private static final int SPINS = 100; // a change without a log is over by then
  private static final long WAIT_MILLIS_MAX = 64;

  /** Where threads wait for a node, by its hash. No caller's code runs while one is held. */
  private static final Object[] MONITORS = // a power of two
      IntStream.range(0, 64).mapToObj(i -> new Object()).toArray();

  /**
   * For handlers of errors, which must not call: to store here keeps the plain stores before it in
   * front of those after it.
   */
  static volatile byte fence;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      VALUE = lookup.findVarHandle(Node.class, "value", Object.class);
      VERSION = lookup.findVarHandle(Node.class, "version", long.class);
      TIMER = lookup.findVarHandle(Node.class, "timer", Timer.class);
      STAMP = lookup.findVarHandle(Node.class, "stamp", long.class);
      STATE = lookup.findVarHandle(Node.class, "state", byte.class);
      HAS_WAITERS = lookup.findVarHandle(Node.class, "hasWaiters", boolean.class);
    } catch (ReflectiveOperationException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  private final K key;

  /** By VALUE; as a plain field for handlers of errors alone, as those marked likewise. */
  @Nullable V value;

  /** By VERSION, or a handler. */
  long version;

  /** Null until the entry first expires. Written by the node's owner by TIMER, or a handler. */
  @Nullable Timer<K, V> timer;

  // When the entry was last used, by the table's clock. Written without a lock by every reader.
  @SuppressWarnings("unused") // by STAMP
  private long stamp;

  /** Where the eviction order has this node, or -1. Guarded by the eviction order's lock. */
  short bucket = -1;

  /** Its neighbours in the ring of that bucket, or itself. Guarded by the eviction order's lock. */
  Node<K, V> next = this;

  private Node<K, V> previous = this;

  /** What the entry weighs, if that is asked for. Guarded by the eviction order's lock. */
  int weight;

  /** What is being done about the key: one of the constants above. By STATE, or a handler. */
  byte state;

  // Whether somebody waits for the end of a change.
  @SuppressWarnings("unused") // by AWAITED
  private boolean hasWaiters;

  private Node(K key, byte state) {
    super(NodeTable.hash(key), null);
    this.key = key;
    this.state = state;
  }

  /** A node that nobody owns. */
  Node(K key) {
    this(key, IDLE);
  }

  /**
   * A node that the current thread owns, as after {@link #lock}.
   *
   * @param computing whether a caller's function will take part
   */
  Node(K key, boolean computing) {
    this(key, computing ? COMPUTING : CHANGING);
  }

  /** The entry's key. */
  public K key() {
    return key;
  }

  /** The entry's value, or null if there is none yet or any more. */
  @SuppressWarnings("unchecked") // only set(V, long) writes the field
  public @Nullable V value() {
    return (V) VALUE.getAcquire(this);
  }

  /** The version of the value last seen by this thread, or a later one. */
  public long version() {
    return Math.abs((long) VERSION.getOpaque(this));
  }

  /**
   * A node's parts as one change left them.
   *
   * @param expiryMillis when the entry expires, or {@link #NEVER}
   */
  public record Snapshot<V>(V value, long version, long expiryMillis) {}

  /** The node's parts, read together; or null if it has no value. */
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
        turns = SpinWait.once(turns); // a writer has lost its processor between two stores
      }
    }
  }

  private static <V> @Nullable Snapshot<V> reading(@Nullable V value, long version, long expiry) {
    return value == null ? null : new Snapshot<>(value, version, expiry);
  }

  /**
   * When the entry expires, in milliseconds since 1970-01-01T00:00Z, or {@link #NEVER}. What {@link
   * #value} answers afterwards is the value that expires then, or a later one.
   */
  public long expiryMillis() {
    Timer<K, V> current = timer();
    return current == null ? NEVER : current.expiryMillis;
  }

  @SuppressWarnings("unchecked") // only setExpiry writes the field
  @Nullable Timer<K, V> timer() {
    return (Timer<K, V>) TIMER.getAcquire(this);
  }

  /** When the entry was last used, by the table's own clock: the larger, the later. */
  public long stamp() {
    return (long) STAMP.getOpaque(this);
  }

  /** As {@link #stamp()}; what its thread did before that use is visible, too. */
  long stampAcquire() {
    return (long) STAMP.getAcquire(this);
  }

  void stamp(long stamp) {
    STAMP.setRelease(this, stamp);
  }

  /**
   * The timer that the node needs to have an expiry: its own, or a new one, which it does not have
   * yet. As its owner, before the journal is told: afterwards nothing should be allocated.
   */
  @Nullable Timer<K, V> timerFor(long newExpiryMillis) {
    Timer<K, V> current = timer();
    return current == null && newExpiryMillis != NEVER
        ? new Timer<>(this, newExpiryMillis)
        : current;
  }

  /** As its owner. */
  void set(@Nullable V newValue, long newExpiryMillis, long newVersion) {
    set(newValue, timerFor(newExpiryMillis), newExpiryMillis, newVersion);
  }

  /**
   * As its owner.
   *
   * @param newTimer what {@link #timerFor} has answered for this expiry
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

  /** Whether the node is out of the table for good, or about to be. */
  boolean isDead() {
    return (byte) STATE.getAcquire(this) == DEAD;
  }

  /** Whether a caller's function is deciding about this key, and may take long. */
  boolean isComputing() {
    return (byte) STATE.getVolatile(this) == COMPUTING;
  }

  /**
   * Begins a change, as soon as nobody else is about one. Never called by a thread that runs a
   * caller's function for the same table.
   *
   * @param computing whether a caller's function takes part
   * @return whether the node is owned now; if not, it is dead
   */
  boolean lock(boolean computing) {
    return lock(computing ? COMPUTING : CHANGING, false);
  }

  /** As {@link #lock} without a function, but does not wait for anybody's function either. */
  boolean tryLockUnlessComputing() {
    return lock(CHANGING, true);
  }

  private boolean lock(byte newState, boolean unlessComputing) {
    return STATE.compareAndSet(this, IDLE, newState) || lockContended(newState, unlessComputing);
  }

  // The compare-and-exchange is the last call before true is answered: no error comes after it.
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

  /** Waits, owning nothing, until nobody's function is deciding about this key. */
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

  private boolean isLocked(boolean unlessComputing) {
    byte present = (byte) STATE.getVolatile(this);
    return present == CHANGING || (present == COMPUTING && !unlessComputing);
  }

  private Object monitor() {
    return MONITORS[hash & MONITORS.length - 1];
  }

  /**
   * The caller's function has decided on a change, which the journal is about to be told of. As its
   * owner.
   */
  void beginChange() {
    STATE.setVolatile(this, CHANGING); // before this thread looks for an overflow
  }

  /** Ends a change, as its owner. */
  void unlockAndWake() {
    unlock();
    wakeWaiters();
  }

  /** Ends a change, as its owner, and wakes nobody. The store is its last call. */
  void unlock() {
    if (state == COMPUTING) {
      STATE.setVolatile(this, IDLE); // before this thread looks for an overflow
    } else {
      STATE.setRelease(this, IDLE);
    }
  }

  /** Begins to end the last change, as its owner: from here on nobody else can own the node. */
  void die() {
    STATE.setRelease(this, DEAD);
  }

  /** Lets those look again who wait for a change. Owning or not: it waits for nobody's function. */
  void wakeWaiters() {
    if ((boolean) HAS_WAITERS.getOpaque(this)) {
      synchronized (monitor()) {
        HAS_WAITERS.setOpaque(this, false);
        monitor().notifyAll();
      }
    }
  }

  /** Whether the change of this version, or a later one, is all there to be seen. */
  public boolean hasReached(long changed) {
    return (long) VERSION.getAcquire(this) >= changed;
  }

  /**
   * If the journal may have a change of this key that is not visible yet, waits until it is, or
   * until that failed. Does not wait for a function: the journal knows nothing of its change yet.
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

  void linkBefore(Node<K, V> other) {
    Node<K, V> before = other.previous;
    previous = before;
    next = other;
    before.next = this;
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
