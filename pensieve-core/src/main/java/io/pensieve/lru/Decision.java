package io.pensieve.lru;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is to become of a key. A decision can be made before the key is locked, and is then its own
 * {@link Maker}, or by a function while the key is locked.
 *
 * @param act what to do
 * @param value the new value for {@link Act#WRITE}, otherwise null
 * @param weight what the entry then weighs
 * @param lifeMillis how long the entry then lives from the moment of the write, more than 0; {@link
 *     Node#NEVER} if it does not expire, {@link #SAME_EXPIRY} if the time stays at which it does
 */
public record Decision<V>(Act act, @Nullable V value, int weight, long lifeMillis)
    implements Maker<V> {
  /** The life of a value that expires when the one expires that it replaces. */
  public static final long SAME_EXPIRY = 0;

  private static final Decision<?> KEEP = new Decision<>(Act.KEEP, null, 0, Node.NEVER);
  private static final Decision<?> USE = new Decision<>(Act.USE, null, 0, Node.NEVER);
  private static final Decision<?> REMOVE = new Decision<>(Act.REMOVE, null, 0, Node.NEVER);

  /** The four things that can become of a key. */
  public enum Act {
    /** Nothing changes, not even the order. */
    KEEP,
    /** The value stays, and the entry is now the most recently used one. */
    USE,
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
    return lifeMillis > Node.NEVER - Math.max(0, nowMillis) ? Node.NEVER : nowMillis + lifeMillis;
  }

  @Override
  public Decision<V> decide(@Nullable V current, long version) {
    return this;
  }

  /** Nothing changes, not even the order. */
  @SuppressWarnings("unchecked") // holds no value, so it is of every type
  public static <V> Decision<V> keep() {
    return (Decision<V>) KEEP;
  }

  /** The value stays, and the entry is now the most recently used one. */
  @SuppressWarnings("unchecked") // holds no value, so it is of every type
  public static <V> Decision<V> use() {
    return (Decision<V>) USE;
  }

  /** The key goes, if it is there. */
  @SuppressWarnings("unchecked") // holds no value, so it is of every type
  public static <V> Decision<V> remove() {
    return (Decision<V>) REMOVE;
  }

  /** The key gets this value. */
  public static <V> Decision<V> write(V value, int weight, long lifeMillis) {
    return new Decision<>(Act.WRITE, Objects.requireNonNull(value), weight, lifeMillis);
  }
}
