package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.lru.UpdateDecision;
import io.pensieve.lru.UpdateFunction;
import java.time.Duration;

/**
 * A put, a touch or a removal of one key, with its condition and its time to live, for {@link
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
    return new Put<>(key, value, TimeToLive.ofMap(), Condition.NONE, 0);
  }

  /**
   * Changes how long an existing entry lives, and uses it; without effect on an absent key. The
   * entry keeps its value and gets a new version. In the log this is a put of the same value, and
   * as long.
   */
  public static <K, V> Touch<K, V> touch(K key, TimeToLive ttl) {
    return new Touch<>(key, ttl, Condition.NONE, 0);
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

    <V> UpdateFunction<V> guard(long version, UpdateFunction<V> decision) {
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
    private final TimeToLive ttl;
    private final Condition condition;
    private final long version;

    private Put(K key, V value, TimeToLive ttl, Condition condition, long version) {
      super(key);
      this.value = requireNonNull(value);
      this.ttl = requireNonNull(ttl);
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
      return ttl(TimeToLive.of(ttl));
    }

    /** This put, with a time to live that may depend on whether there is an entry. */
    public Put<K, V> ttl(TimeToLive ttl) {
      return new Put<>(key(), value, ttl, condition, version);
    }

    /**
     * This put, if the key is absent. Otherwise it counts as a use of the existing entry, and
     * reports the version of that.
     */
    public Put<K, V> ifAbsent() {
      return new Put<>(key(), value, ttl, Condition.ABSENT, 0);
    }

    /** This put, if the key's entry has this version. Otherwise it is not a use. */
    public Put<K, V> ifVersion(long version) {
      return new Put<>(key(), value, ttl, Condition.VERSION, version);
    }

    @Override
    boolean mayAdd() {
      return condition != Condition.VERSION;
    }

    @Override
    UpdateFunction<V> function(UpdateDecisions<K, V> decisions) {
      return condition.guard(
          version,
          ttl.dependsOnEntry()
              ? (current, now) -> ttl.write(decisions, key(), value, current != null)
              : decisions.writeFor(key(), value, ttl.millis()));
    }
  }

  /** A change of an entry's time to live. */
  public static final class Touch<K, V> extends Write<K, V> {
    private final TimeToLive ttl;
    private final Condition condition;
    private final long version;

    private Touch(K key, TimeToLive ttl, Condition condition, long version) {
      super(key);
      this.ttl = requireNonNull(ttl);
      this.condition = condition;
      this.version = version;
    }

    /** This change, if the key's entry has this version. */
    public Touch<K, V> ifVersion(long version) {
      return new Touch<>(key(), ttl, Condition.VERSION, version);
    }

    @Override
    boolean mayAdd() {
      return false;
    }

    @Override
    UpdateFunction<V> function(UpdateDecisions<K, V> decisions) {
      return condition.guard(
          version,
          (current, now) ->
              current == null
                  ? UpdateDecision.keep()
                  : ttl.write(decisions, key(), current, true).extending());
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
