package io.pensieve.lru;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is to become of a key. A decision can be made before the key is locked, and is then its own
 * {@link UpdateFunction}, or by a function while the key is locked.
 *
 * @param action what to do
 * @param value the new value for {@link Action#WRITE}, otherwise null
 * @param weight what the entry then weighs
 * @param ttlMillis how long the entry then lives from the moment of the write, more than 0; {@link
 *     Node#NEVER} if it does not expire, {@link #SAME_EXPIRY} if the time stays at which it does
 */
public record UpdateDecision<V>(Action action, @Nullable V value, int weight, long ttlMillis)
    implements UpdateFunction<V> {
  /** The life of a value that expires when the one expires that it replaces. */
  public static final long SAME_EXPIRY = 0;

  private static final UpdateDecision<?> KEEP =
      new UpdateDecision<>(Action.KEEP, null, 0, Node.NEVER);
  private static final UpdateDecision<?> USE =
      new UpdateDecision<>(Action.TOUCH, null, 0, Node.NEVER);
  private static final UpdateDecision<?> REMOVE =
      new UpdateDecision<>(Action.REMOVE, null, 0, Node.NEVER);

  /** The four things that can become of a key. */
  public enum Action {
    /** Nothing changes, not even the order. */
    KEEP,
    /** The value stays, and the entry is now the most recently used one. */
    TOUCH,
    /** The key gets a value. */
    WRITE,
    /** The key goes. */
    REMOVE
  }

  /**
   * When the entry expires if it is written now; for a life of its own.
   *
   * @return never, if it is beyond counting
   */
  public long expiryMillis(long nowMillis) {
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

  /** The value stays, and the entry is now the most recently used one. */
  @SuppressWarnings("unchecked") // holds no value, so it is of every type
  public static <V> UpdateDecision<V> touch() {
    return (UpdateDecision<V>) USE;
  }

  /** The key goes, if it is there. */
  @SuppressWarnings("unchecked") // holds no value, so it is of every type
  public static <V> UpdateDecision<V> remove() {
    return (UpdateDecision<V>) REMOVE;
  }

  /** The key gets this value. */
  public static <V> UpdateDecision<V> write(V value, int weight, long ttlMillis) {
    return new UpdateDecision<>(Action.WRITE, Objects.requireNonNull(value), weight, ttlMillis);
  }
}
