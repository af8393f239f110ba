package io.pensieve;

import io.pensieve.lru.Node;
import io.pensieve.lru.UpdateDecision;
import java.time.Duration;
import java.util.Optional;

/**
 * How long a written entry lives, and whether a write of an existing entry changes that. Immutable.
 *
 * <pre>{@code
 * map.writeAsync(Write.put("a", "b").ttl(TimeToLive.unchanged()));
 * map.incrementAsync("visits", 1, codec, TimeToLive.of(Duration.ofMinutes(1)).forNewEntries());
 * }</pre>
 */
public final class TimeToLive {
  private static final long DEFAULT = 0; // stands for the map's time to live

  private static final TimeToLive OF_MAP = new TimeToLive(DEFAULT, false);
  private static final TimeToLive UNLIMITED = new TimeToLive(Node.NEVER, false);
  private static final TimeToLive UNCHANGED = new TimeToLive(DEFAULT, true);

  private final long millis; // NEVER if the entry does not expire
  private final boolean keepsExpiry; // of an entry that the write replaces

  private TimeToLive(long millis, boolean keepsExpiry) {
    this.millis = millis;
    this.keepsExpiry = keepsExpiry;
  }

  /**
   * The entry lives so long from the moment of the write.
   *
   * @param ttl in milliseconds, rounded up; unlimited if it is beyond the year 292 million
   * @throws IllegalArgumentException if {@code ttl} is not positive
   */
  public static TimeToLive of(Duration ttl) {
    return new TimeToLive(UpdateDecisions.millis(ttl), false);
  }

  /** The entry lives as long as the map says, as by {@link Pensieve#put(Object, Object)}. */
  static TimeToLive ofMap() {
    return OF_MAP;
  }

  /** The entry does not expire, whatever it did before. */
  public static TimeToLive unlimited() {
    return UNLIMITED;
  }

  /** An existing entry keeps its expiry time. A new entry has the map's time to live. */
  public static TimeToLive unchanged() {
    return UNCHANGED;
  }

  /** As this, but only for a new entry. An existing entry keeps its expiry time. */
  public TimeToLive forNewEntries() {
    return new TimeToLive(millis, true);
  }

  /** How long a new entry lives; empty if it does not expire, or if the map decides. */
  public Optional<Duration> duration() {
    return millis == Node.NEVER || millis == DEFAULT
        ? Optional.empty()
        : Optional.of(Duration.ofMillis(millis));
  }

  /** Returns whether a write has to see the key's entry to know when the new one expires. */
  boolean dependsOnEntry() {
    return keepsExpiry;
  }

  /**
   * Returns the milliseconds that each entry lives, if that does not depend on the old entry; 0 for
   * the map's time to live.
   */
  long millis() {
    return millis;
  }

  <K, V> UpdateDecision<V> write(
      UpdateDecisions<K, V> decisions, K key, V value, boolean isPresent) {
    return isPresent && keepsExpiry
        ? decisions.rewrite(key, value)
        : decisions.writeFor(key, value, millis);
  }
}
