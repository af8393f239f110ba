package io.pensieve;

import io.pensieve.lru.Node;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * A value with what belongs to it, read in one.
 *
 * @param value the value
 * @param version the version of the write that gave the key this value: never given out twice, also
 *     not after a restart, and larger than that of every earlier write of the key
 * @param expiry when the entry expires; empty if never
 * @param <V> the type of values
 */
public record Versioned<V>(V value, long version, Optional<Instant> expiry) {

  static <V> Versioned<V> of(Node.Reading<V> reading) {
    Optional<Instant> expiry =
        reading.expiryMillis() == Node.NEVER
            ? Optional.empty()
            : Optional.of(Instant.ofEpochMilli(reading.expiryMillis()));
    return new Versioned<>(reading.value(), reading.version(), expiry);
  }

  /** How long the entry lives from this moment on, zero if it has expired; empty if for ever. */
  public Optional<Duration> remaining(Instant now) {
    return expiry.map(end -> end.isAfter(now) ? Duration.between(now, end) : Duration.ZERO);
  }
}
