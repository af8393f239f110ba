package io.pensieve.lru;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The decision about a key. If made before the key is locked, it is its own {@link UpdateFunction}.
 * Otherwise a function makes it while the key is locked.
 *
 * @param action what to do
 * @param value the value for {@link Action#WRITE}, {@link Action#EXTEND} and {@link
 *     Action#WRITE_UNTIL}, otherwise null
 * @param weight the new weight of the entry
 * @param ttlMillis the time to live from the moment of the write, more than 0; {@link Node#NEVER}
 *     if the entry does not expire, {@link #SAME_EXPIRY} if it keeps its expiry time, {@link
 *     #BY_RULE} if the table decides. A negative number if it lives at least so long: an entry that
 *     expires later keeps its expiry time. For {@link Action#WRITE_UNTIL} the time of the expiry
 *     instead, or {@link Node#NEVER}
 */
public record UpdateDecision<V>(Action action, @Nullable V value, long weight, long ttlMillis)
    implements UpdateFunction<V> {
  /** The time to live of a value that keeps the expiry time of the value that it replaces. */
  public static final long SAME_EXPIRY = 0;

  /** The time to live of a value for which the table's {@link ExpiryRule} decides that. */
  public static final long BY_RULE = Long.MIN_VALUE;

  private static final UpdateDecision<?> KEEP =
      new UpdateDecision<>(Action.KEEP, null, 0, Node.NEVER);
  private static final UpdateDecision<?> USE =
      new UpdateDecision<>(Action.TOUCH, null, 0, Node.NEVER);
  private static final UpdateDecision<?> REMOVE =
      new UpdateDecision<>(Action.REMOVE, null, 0, Node.NEVER);

  /** The possible decisions. */
  public enum Action {
    /** Nothing changes, not even the order. */
    KEEP,
    /** The value stays, and the entry becomes the most recently used one. */
    TOUCH,
    /** The key gets a value. */
    WRITE,
    /** The key keeps its value and gets another expiry. For the change sink this is a write. */
    EXTEND,
    /** The key gets a value that expires at a given time, or never. */
    WRITE_UNTIL,
    /** The key is removed. */
    REMOVE;

    /** Whether the change sink gets a value. */
    boolean isWrite() {
      return this == WRITE || this == EXTEND || this == WRITE_UNTIL;
    }
  }

  /**
   * Returns when an entry expires that lives so long from now on.
   *
   * @param ttlMillis more than 0
   * @return {@link Node#NEVER} if the sum overflows
   */
  public static long expiryMillis(long ttlMillis, long nowMillis) {
    return ttlMillis > Node.NEVER - Math.max(0, nowMillis) ? Node.NEVER : nowMillis + ttlMillis;
  }

  @Override
  public UpdateDecision<V> decide(@Nullable V current, long version) {
    return this;
  }

  /** Nothing changes, not even the order. */
  @SuppressWarnings("unchecked") // holds no value, so it is of every type
  public static <V> UpdateDecision<V> keep() {
    return (UpdateDecision<V>) KEEP;
  }

  /** The value stays, and the entry becomes the most recently used one. */
  @SuppressWarnings("unchecked") // holds no value, so it is of every type
  public static <V> UpdateDecision<V> touch() {
    return (UpdateDecision<V>) USE;
  }

  /** The key is removed, if it is present. */
  @SuppressWarnings("unchecked") // holds no value, so it is of every type
  public static <V> UpdateDecision<V> remove() {
    return (UpdateDecision<V>) REMOVE;
  }

  /** The key gets this value. */
  public static <V> UpdateDecision<V> write(V value, long weight, long ttlMillis) {
    return new UpdateDecision<>(Action.WRITE, Objects.requireNonNull(value), weight, ttlMillis);
  }

  /** This decision to write, for a value that the key has already: only its expiry changes. */
  public UpdateDecision<V> extending() {
    return new UpdateDecision<>(Action.EXTEND, value, weight, ttlMillis);
  }

  /** The key gets this value, which expires at a given time, or {@link Node#NEVER}. */
  public static <V> UpdateDecision<V> writeUntil(V value, long weight, long expiryMillis) {
    return new UpdateDecision<>(
        Action.WRITE_UNTIL, Objects.requireNonNull(value), weight, expiryMillis);
  }
}
