package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.lru.Capacity;
import io.pensieve.lru.ExpiryRule;
import io.pensieve.lru.Node;
import io.pensieve.lru.UpdateDecision;
import io.pensieve.lru.UpdateFunction;
import java.time.Duration;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Creates the decisions to write: with their condition, time to live and weight. Refuses entries
 * that are too heavy.
 */
final class UpdateDecisions<K, V> {
  private final Capacity<K, V> capacity;
  private final long ttlMillis;
  private final Counters counters;
  private final ExpiryRule<K, V> rule;

  /**
   * Creates the decisions of one map.
   *
   * @param ttlMillis the time to live if the writer gives none; {@link Node#NEVER} if values do not
   *     expire, {@link UpdateDecision#BY_RULE} if the table decides
   */
  UpdateDecisions(
      Capacity<K, V> capacity, long ttlMillis, ExpiryRule<K, V> rule, Counters counters) {
    this.capacity = capacity;
    this.ttlMillis = ttlMillis;
    this.rule = rule;
    this.counters = counters;
  }

  /** Whether all that {@link #write(Object, Object)} says is the value. */
  boolean arePlain() {
    return ttlMillis == Node.NEVER && !capacity.isWeighted();
  }

  UpdateDecision<V> write(K key, V value) {
    return write(key, value, ttlMillis);
  }

  UpdateDecision<V> write(K key, V value, Duration ttl) {
    return write(key, value, millis(ttl));
  }

  /** As {@link #write}, for an entry that keeps its expiry time. */
  UpdateDecision<V> rewrite(K key, V value) {
    return write(key, value, UpdateDecision.SAME_EXPIRY);
  }

  /** As {@link #write}; with so many milliseconds to live, or with the map's if these are 0. */
  UpdateDecision<V> writeFor(K key, V value, long givenMillis) {
    return write(key, value, givenMillis == 0 ? ttlMillis : givenMillis);
  }

  private UpdateDecision<V> write(K key, V value, long ttl) {
    requireNonNull(key);
    requireNonNull(value);
    long weight = capacity.weigher().applyAsLong(key, value);
    capacity.checkWeight(weight);
    return UpdateDecision.write(value, weight, ttl);
  }

  /**
   * Returns when the entry of a {@link #writeFor} expires.
   *
   * @param before the entry that it replaces, or null
   */
  long expiryMillis(
      UpdateDecision<V> write, K key, V value, Node.@Nullable Snapshot<V> before, long nowMillis) {
    long ttl = write.ttlMillis();
    if (ttl == UpdateDecision.BY_RULE) {
      long remaining = ExpiryRule.CREATED;
      if (before != null) {
        remaining =
            before.expiryMillis() == Node.NEVER ? Node.NEVER : before.expiryMillis() - nowMillis;
      }
      ttl = rule.ttlMillis(key, value, remaining);
    }
    return UpdateDecision.expiryMillis(ttl, nowMillis);
  }

  /** This write if the key is absent; otherwise a use. */
  static <V> UpdateFunction<V> ifAbsent(UpdateFunction<V> write) {
    return (current, version) ->
        current == null ? write.decide(null, version) : UpdateDecision.touch();
  }

  /** This decision, if the key's value equals the expected one. */
  static <V> UpdateFunction<V> ifEqual(@Nullable Object expected, UpdateDecision<V> decision) {
    return (current, version) ->
        current != null && current.equals(expected) ? decision : UpdateDecision.keep();
  }

  /** This decision, if the key's entry has the expected version. */
  static <V> UpdateFunction<V> ifVersion(long expected, UpdateFunction<V> decision) {
    return (current, version) ->
        version == expected ? decision.decide(current, version) : UpdateDecision.keep();
  }

  /** Writes what the function returns for the key and its value. */
  UpdateFunction<V> computed(
      K key, BiFunction<? super K, ? super @Nullable V, ? extends @Nullable V> function) {
    requireNonNull(function);
    return (current, version) -> writeOrRemove(key, function.apply(key, current));
  }

  /** As {@link #computed}, if there is a value. */
  UpdateFunction<V> computedIfPresent(
      K key, BiFunction<? super K, ? super V, ? extends @Nullable V> function) {
    requireNonNull(function);
    return (current, version) ->
        current == null ? UpdateDecision.keep() : writeOrRemove(key, function.apply(key, current));
  }

  /** Writes what the function returns for the key, if there is no value; otherwise a use. */
  UpdateFunction<V> loaded(K key, Function<? super K, ? extends @Nullable V> function) {
    return (current, version) -> current == null ? load(key, function) : UpdateDecision.touch();
  }

  private UpdateDecision<V> load(K key, Function<? super K, ? extends @Nullable V> function) {
    long begun = counters.beginLoad();
    boolean failed = true;
    try {
      V loaded = function.apply(key);
      failed = loaded == null;
      return writeOrRemove(key, loaded);
    } finally {
      counters.endLoad(begun, failed);
    }
  }

  /** Writes the value; if there is one already, what the function returns for both. */
  UpdateFunction<V> merged(
      K key, V value, BiFunction<? super V, ? super V, ? extends @Nullable V> function) {
    requireNonNull(value);
    requireNonNull(function);
    return (current, version) ->
        writeOrRemove(key, current == null ? value : function.apply(current, value));
  }

  // The decision for a function's result: null means to remove the key.
  private UpdateDecision<V> writeOrRemove(K key, @Nullable V value) {
    return value == null ? UpdateDecision.remove() : change(key, value);
  }

  /**
   * Writes a new value of the same entry, if there is one. That lives as long as it would have, and
   * at least as long as the map lets entries live after a write. A new entry lives as the map says.
   */
  UpdateDecision<V> change(K key, V value) {
    if (ttlMillis == UpdateDecision.BY_RULE) {
      return write(key, value);
    }
    return write(key, value, ttlMillis == Node.NEVER ? UpdateDecision.SAME_EXPIRY : -ttlMillis);
  }

  /** Returns a time to live as a duration. */
  static Duration duration(long millis) {
    return millis == Node.NEVER ? Expiry.FOREVER : Duration.ofMillis(millis);
  }

  /**
   * Returns a time to live in milliseconds, rounded up; {@link Node#NEVER} if it overflows.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  static long millis(Duration ttl) {
    if (ttl.isZero() || ttl.isNegative()) {
      throw new IllegalArgumentException("an entry must live for a positive time: " + ttl);
    }
    try {
      return ttl.plusNanos(999_999).toMillis();
    } catch (ArithmeticException beyondCounting) {
      return Node.NEVER;
    }
  }
}
