package io.pensieve;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.log.Codec;
import io.pensieve.log.file.FileLog;
import io.pensieve.testing.Depth;
import io.pensieve.testing.Seed;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Times of expiry, versions and the order of use, over restarts and compactions of a file log. */
@Tag(Depth.TAG)
class DurableExpiryTest {
  private final Random random = Seed.random(DurableExpiryTest.class);
  private final ManualClock clock = new ManualClock();
  private final Map<String, Versioned<Long>> model = new LinkedHashMap<>(16, 0.75f, true);
  private final Path folder;
  private FileLog<String, Long> log;
  private Pensieve<String, Long> map;

  DurableExpiryTest(@TempDir Path folder) {
    this.folder = folder;
    log = FileLog.at(folder, Codec.utf8(), Codec.int64());
    map = openMap();
  }

  private Pensieve<String, Long> openMap() {
    return Pensieve.<String, Long>builder().clock(clock).log(log).open();
  }

  @AfterEach
  void close() {
    map.close();
  }

  @Test
  void aRestartNeitherRevivesNorShortensNorChangesTheOrder() {
    for (int ttl = 0; ttl < Depth.of(4, 40, 400); ttl++) {
      for (int i = random.nextInt(200); i > 0; i--) {
        operate("k" + random.nextInt(100), random.nextLong());
      }
      reopen();
      assertSame();
    }
  }

  private void operate(String key, long value) {
    switch (random.nextInt(40)) {
      case 0 -> log.compact();
      case 1, 2 -> advance(random.nextInt(1_000));
      case 3, 4, 5, 6, 7, 8 -> assertEquals(model.get(key), map.getVersioned(key));
      case 9, 10, 11 -> {
        map.remove(key);
        model.remove(key);
      }
      case 12, 13, 14, 15, 16, 17, 18, 19 -> {
        PendingWrite<Long> put = map.putAsync(key, value);
        model.put(key, new Versioned<>(value, put.version(), Optional.empty()));
      }
      default -> {
        long ttlMillis = 1L + random.nextInt(20_000);
        PendingWrite<Long> put =
            map.writeAsync(Write.put(key, value).ttl(Duration.ofMillis(ttlMillis)));
        Instant expiry = clock.instant().plusMillis(ttlMillis);
        model.put(key, new Versioned<>(value, put.version(), Optional.of(expiry)));
      }
    }
  }

  private void advance(long millis) {
    clock.advance(millis);
    model
        .values()
        .removeIf(entry -> entry.remaining(clock.instant()).equals(Optional.of(Duration.ZERO)));
  }

  private void reopen() {
    map.close();
    advance(random.nextInt(3_000));
    log = FileLog.at(folder, Codec.utf8(), Codec.int64());
    map = openMap();
  }

  private void assertSame() {
    assertEquals(model.size(), map.size());
    Map<String, Versioned<Long>> shown = new LinkedHashMap<>();
    map.coldestFirst().forEach(entry -> shown.put(entry.getKey(), read(entry.getKey())));
    assertEquals(Map.copyOf(model).entrySet(), Map.copyOf(shown).entrySet());
    assertEquals(String.join(" ", model.keySet()), String.join(" ", shown.keySet()));
  }

  // Each is used once, in the order that is there, so the order stays.
  private Versioned<Long> read(String key) {
    return requireNonNull(map.getVersioned(key));
  }
}
