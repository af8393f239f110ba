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
  // Milliseconds of an entry that the write creates, and of one that it replaces. As in an
  // UpdateDecision: NEVER if the entry does not expire, SAME_EXPIRY if it keeps its expiry time.
  // DEFAULT stands for the map's time to live.
  private static final long DEFAULT = 0;

  private static final TimeToLive OF_MAP = new TimeToLive(DEFAULT, DEFAULT);
  private static final TimeToLive UNLIMITED = new TimeToLive(Node.NEVER, Node.NEVER);
  private static final TimeToLive UNCHANGED = new TimeToLive(DEFAULT, UpdateDecision.SAME_EXPIRY);

  private final long ofCreatedMillis;
  private final long ofReplacedMillis;

  private TimeToLive(long ofCreatedMillis, long ofReplacedMillis) {
    this.ofCreatedMillis = ofCreatedMillis;
    this.ofReplacedMillis = ofReplacedMillis;
  }

  /**
   * The entry lives so long from the moment of the write.
   *
   * @param ttl in milliseconds, rounded up; unlimited if it is beyond the year 292 million
   * @throws IllegalArgumentException if {@code ttl} is not positive
   */
  public static TimeToLive of(Duration ttl) {
    long millis = UpdateDecisions.millis(ttl);
    return new TimeToLive(millis, millis);
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
    return new TimeToLive(ofCreatedMillis, UpdateDecision.SAME_EXPIRY);
  }

  /** How long a new entry lives; empty if it does not expire, or if the map decides. */
  public Optional<Duration> duration() {
    return ofCreatedMillis == Node.NEVER || ofCreatedMillis == DEFAULT
        ? Optional.empty()
        : Optional.of(Duration.ofMillis(ofCreatedMillis));
  }

  /** Returns whether a write has to see the key's entry to know when the new one expires. */
  boolean dependsOnEntry() {
    return ofReplacedMillis == UpdateDecision.SAME_EXPIRY;
  }

  /**
   * Returns the milliseconds that each entry lives, if that does not depend on the old entry; 0 for
   * the map's time to live.
   */
  long millis() {
    return ofCreatedMillis;
  }

  <K, V> UpdateDecision<V> write(
      UpdateDecisions<K, V> decisions, K key, V value, boolean isPresent) {
    if (!isPresent) {
      return decisions.writeFor(key, value, ofCreatedMillis);
    }
    return dependsOnEntry()
        ? decisions.rewrite(key, value)
        : decisions.writeFor(key, value, ofReplacedMillis);
  }
}
