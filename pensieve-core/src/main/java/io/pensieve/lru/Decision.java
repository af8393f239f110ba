package io.pensieve.lru;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is to become of a key, decided while it is locked.
 *
 * @param act what to do
 * @param value the new value for {@link Act#WRITE}, otherwise null
 */
public record Decision<V>(Act act, @Nullable V value) {
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

  /** Decides, given the key's value, or null if it has none. Runs while the key is locked. */
  @FunctionalInterface
  public interface Maker<V> {
    /** The decision; made once for each call of the table. */
    Decision<V> decide(@Nullable V current);
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
