package io.pensieve;

import io.pensieve.lru.Node;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * A consistent snapshot of a value, its version and its expiry.
 *
 * @param value the value
 * @param version the version of the write that gave the key this value: no other write of the key
 *     has the same version, before or after a restart, and earlier writes have smaller ones
 * @param expiry when the entry expires; empty if never
 * @param <V> the type of values
 */
public record Versioned<V>(V value, long version, Optional<Instant> expiry) {

  static <V> Versioned<V> of(Node.Snapshot<V> snapshot) {
    Optional<Instant> expiry =
        snapshot.expiryMillis() == Node.NEVER
            ? Optional.empty()
            : Optional.of(Instant.ofEpochMilli(snapshot.expiryMillis()));
    return new Versioned<>(snapshot.value(), snapshot.version(), expiry);
  }

  /**
   * How long the entry lives from this moment on; zero if it has expired, empty if it never
   * expires.
   */
  public Optional<Duration> remaining(Instant now) {
    return expiry.map(end -> end.isAfter(now) ? Duration.between(now, end) : Duration.ZERO);
  }
}
