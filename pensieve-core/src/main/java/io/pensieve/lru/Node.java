package io.pensieve.lru;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * An entry of the table.
 *
 * <p>How it holds together: a key's changes are made inside {@code synchronized (node)}, and each
 * writes {@link #version} first, negative, then {@link #value}, and at last the version as it is. A
 * reader takes the value first (acquire) and the version second, so the version it sees is at least
 * that of the value: if that version is durable, so is the value. Who needs both as they belong
 * together ({@link #read}) takes the version before and after: if it is the same and not negative,
 * nothing was written meanwhile.
 *
 * <p>The expiry is written after the value, and read before it. So a reader never takes an old
 * value for one that has a new life; and if it finds a time that is over, and the same time once
 * more after that, there was no value then that still lived.
 *
 * <p>A node has no value before its first change is in the journal and after its last; readers take
 * it for absent. Once {@linkplain #isDead dead} it never comes back: the same key gets a new node.
 */
public final class Node<K, V> {
  /** The expiry of an entry that does not expire. */
  public static final long NEVER = Long.MAX_VALUE;

  private static final VarHandle VALUE;
  private static final VarHandle VERSION;
  private static final VarHandle TIMER;
  private static final VarHandle STAMP;
  private static final VarHandle STATE;

  private static final int READ_TRIES_MAX = 100;

  private static final byte IDLE = 0;
  private static final byte CHANGING = 1; // for as long as the journal takes
  private static final byte COMPUTING = 2; // for as long as a caller's function takes
  private static final byte DEAD = 3; // for good

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      VALUE = lookup.findVarHandle(Node.class, "value", Object.class);
      VERSION = lookup.findVarHandle(Node.class, "version", long.class);
      TIMER = lookup.findVarHandle(Node.class, "timer", Timer.class);
      STAMP = lookup.findVarHandle(Node.class, "stamp", long.class);
      STATE = lookup.findVarHandle(Node.class, "state", byte.class);
    } catch (ReflectiveOperationException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  private final K key;

  @SuppressWarnings("unused") // by VALUE
  private @Nullable V value;

  @SuppressWarnings("unused") // by VERSION
  private long version;

  // Null until the entry first expires. Written inside the node's monitor.
  @SuppressWarnings("unused") // by TIMER
  private @Nullable Timer<K, V> timer;

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

  // What is being done about the key; written inside the node's monitor. The values are below.
  @SuppressWarnings("unused") // by STATE
  private byte state = IDLE;

  Node(K key) {
    this.key = key;
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
  public record Reading<V>(V value, long version, long expiryMillis) {}

  /** The node's parts, read together; or null if it has no value. */
  public @Nullable Reading<V> read() {
    for (int tries = 0; tries < READ_TRIES_MAX; tries++) {
      long before = (long) VERSION.getAcquire(this);
      long expiry = expiryMillis();
      V current = value();
      if (before >= 0 && before == (long) VERSION.getOpaque(this)) {
        return reading(current, before, expiry);
      }
      Thread.onSpinWait();
    }
    // A writer has lost its processor between two stores, and holds the monitor.
    synchronized (this) {
      return reading(value(), version(), expiryMillis());
    }
  }

  private static <V> @Nullable Reading<V> reading(@Nullable V value, long version, long expiry) {
    return value == null ? null : new Reading<>(value, version, expiry);
  }

  /**
   * When the entry expires, in milliseconds since 1970-01-01T00:00Z, or {@link #NEVER}. What {@link
   * #value} answers afterwards is the value that expires then, or a later one.
   */
  public long expiryMillis() {
    Timer<K, V> current = timer();
    return current == null ? NEVER : current.expiryMillis;
  }

  @SuppressWarnings("unchecked") // only setExpiryLocked writes the field
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

  /** Needs the monitor. */
  void setLocked(@Nullable V newValue, long newExpiryMillis, long newVersion) {
    VERSION.setOpaque(this, -newVersion);
    VALUE.setRelease(this, newValue);
    setExpiryLocked(newExpiryMillis);
    VERSION.setRelease(this, newVersion);
  }

  private void setExpiryLocked(long newExpiryMillis) {
    Timer<K, V> current = timer();
    if (current != null) {
      current.expiryMillis = newExpiryMillis;
    } else if (newExpiryMillis != NEVER) {
      TIMER.setRelease(this, new Timer<>(this, newExpiryMillis));
    }
  }

  /**
   * Whether the node is out of the table for good. Surely so for those who have its monitor, or who
   * have learned of its death in any other way; others may learn late.
   */
  boolean isDead() {
    return (byte) STATE.getOpaque(this) == DEAD;
  }

  /**
   * Whether a caller's function is deciding about this key, so that whoever wants the monitor may
   * have to wait for long.
   */
  boolean isComputing() {
    return (byte) STATE.getVolatile(this) == COMPUTING;
  }

  /**
   * Begins a change. Needs the monitor.
   *
   * @param computing whether a caller's function takes part
   * @throws IllegalStateException if this very thread is changing the key already
   */
  void beginLocked(boolean computing) {
    if (state != IDLE) {
      throw new IllegalStateException("recursive update: the key is being computed");
    }
    STATE.setOpaque(this, computing ? COMPUTING : CHANGING);
  }

  /** Ends a change. Needs the monitor. */
  void endLocked() {
    if (state == COMPUTING) {
      STATE.setVolatile(this, IDLE); // before this thread looks for an overflow
    } else if (state == CHANGING) {
      STATE.setOpaque(this, IDLE);
    }
  }

  /** The node is out for good. Needs the monitor. */
  void dieLocked() {
    STATE.setOpaque(this, DEAD);
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
    alone();
  }

  void alone() {
    next = this;
    previous = this;
  }
}
