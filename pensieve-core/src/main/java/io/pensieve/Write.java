package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.lru.UpdateDecision;
import io.pensieve.lru.UpdateFunction;
import java.time.Duration;

/**
 * A put or a removal of one key, with its condition and its time to live, for {@link
 * Pensieve#writeAsync(Write)}. Immutable, and may be used more than once.
 *
 * <pre>{@code
 * map.writeAsync(Write.put("a", "b").ttl(Duration.ofHours(1)).ifAbsent());
 * map.writeAsync(Write.removeIfVersion("a", seen.version()));
 * }</pre>
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public abstract sealed class Write<K, V> {
  private final K key;

  private Write(K key) {
    this.key = requireNonNull(key);
  }

  /** Writes the value, with the time to live of {@link Pensieve#put(Object, Object)}. */
  public static <K, V> Put<K, V> put(K key, V value) {
    return new Put<>(key, value, 0, Condition.NONE, 0);
  }

  /** Removes the key, if it is present. */
  public static <K, V> Write<K, V> remove(K key) {
    return new Removal<>(key, Condition.NONE, 0);
  }

  /**
   * Removes the key if its entry has this version. With a version of 0, which no entry has, the
   * write only reads the version of the entry.
   */
  public static <K, V> Write<K, V> removeIfVersion(K key, long version) {
    return new Removal<>(key, Condition.VERSION, version);
  }

  final K key() {
    return key;
  }

  /** Returns whether this write may add an entry. If not, it has no effect on an absent key. */
  abstract boolean mayAdd();

  abstract UpdateFunction<V> function(UpdateDecisions<K, V> decisions);

  private enum Condition {
    NONE,
    ABSENT,
    VERSION;

    <V> UpdateFunction<V> guard(long version, UpdateDecision<V> decision) {
      return switch (this) {
        case NONE -> decision;
        case ABSENT -> UpdateDecisions.ifAbsent(decision);
        case VERSION -> UpdateDecisions.ifVersion(version, decision);
      };
    }
  }

  /** A put. Without a condition it always applies; a later condition replaces an earlier one. */
  public static final class Put<K, V> extends Write<K, V> {
    private final V value;
    private final long ttlMillis; // 0 stands for the map's default
    private final Condition condition;
    private final long version;

    private Put(K key, V value, long ttlMillis, Condition condition, long version) {
      super(key);
      this.value = requireNonNull(value);
      this.ttlMillis = ttlMillis;
      this.condition = condition;
      this.version = version;
    }

    /**
     * This put, for an entry that expires.
     *
     * @param ttl as for {@link Pensieve#put(Object, Object, Duration)}
     * @throws IllegalArgumentException if {@code ttl} is not positive
     */
    public Put<K, V> ttl(Duration ttl) {
      return new Put<>(key(), value, UpdateDecisions.millis(ttl), condition, version);
    }

    /**
     * This put, if the key is absent. Otherwise it counts as a use of the existing entry, and
     * reports the version of that.
     */
    public Put<K, V> ifAbsent() {
      return new Put<>(key(), value, ttlMillis, Condition.ABSENT, 0);
    }

    /** This put, if the key's entry has this version. Otherwise it is not a use. */
    public Put<K, V> ifVersion(long version) {
      return new Put<>(key(), value, ttlMillis, Condition.VERSION, version);
    }

    @Override
    boolean mayAdd() {
      return condition != Condition.VERSION;
    }

    @Override
    UpdateFunction<V> function(UpdateDecisions<K, V> decisions) {
      return condition.guard(version, decisions.writeFor(key(), value, ttlMillis));
    }
  }

  private static final class Removal<K, V> extends Write<K, V> {
    private final Condition condition;
    private final long version;

    Removal(K key, Condition condition, long version) {
      super(key);
      this.condition = condition;
      this.version = version;
    }

    @Override
    boolean mayAdd() {
      return false;
    }

    @Override
    UpdateFunction<V> function(UpdateDecisions<K, V> decisions) {
      return condition.guard(version, UpdateDecision.remove());
    }
  }
}
