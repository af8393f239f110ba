package io.pensieve.lru;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is to become of a key. A decision can be made before the key is locked, and is then its own
 * {@link Maker}, or by a function while the key is locked.
 *
 * @param act what to do
 * @param value the new value for {@link Act#WRITE}, otherwise null
 */
public record Decision<V>(Act act, @Nullable V value) implements Maker<V> {
  private static final Decision<?> KEEP = new Decision<>(Act.KEEP, null);
  private static final Decision<?> USE = new Decision<>(Act.USE, null);
  private static final Decision<?> REMOVE = new Decision<>(Act.REMOVE, null);

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
  public static <V> Decision<V> write(V value) {
    return new Decision<>(Act.WRITE, Objects.requireNonNull(value));
  }

  /** What a function that may answer null asked for: null means that the key goes. */
  public static <V> Decision<V> writeOrRemove(@Nullable V value) {
    return value == null ? remove() : write(value);
  }
}
