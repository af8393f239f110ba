package io.pensieve;

import io.pensieve.log.LogException;
import io.pensieve.lru.Capacity;
import io.pensieve.lru.LruTable;
import io.pensieve.lru.Node;
import io.pensieve.lru.UpdateDecision;
import java.time.InstantSource;

/**
 * Changes how long entries live when they are read.
 *
 * <p>An entry's expiry is in the log with its value, so to change it is to write the value again.
 * To do so at each read would turn reads into writes. So a read changes the expiry only by more
 * than an eighth of the new life. An entry that is read all the time is written again some eight
 * times in its life, and the log always has the expiry that the map goes by.
 */
final class ReadExpiry<K, V> {
  private static final int SHARE = 8;

  private final Expiry<? super K, ? super V> expiry;
  private final InstantSource clock;
  private final Capacity<K, V> capacity;
  private final LruTable<K, V> table;

  ReadExpiry(
      Expiry<? super K, ? super V> expiry,
      InstantSource clock,
      Capacity<K, V> capacity,
      LruTable<K, V> table) {
    this.expiry = expiry;
    this.clock = clock;
    this.capacity = capacity;
    this.table = table;
  }

  /** Called after a read. Never waits for the log, and never fails the read. */
  void read(Node<K, V> node) {
    Node.Snapshot<V> seen = node.read();
    if (seen == null) {
      return;
    }
    long remaining =
        seen.expiryMillis() == Node.NEVER
            ? Node.NEVER
            : Math.max(1, seen.expiryMillis() - clock.millis());
    long wanted =
        UpdateDecisions.millis(
            expiry.afterRead(node.key(), seen.value(), UpdateDecisions.duration(remaining)));
    if (Math.abs(wanted - remaining) > wanted / SHARE) {
      write(node.key(), seen, wanted);
    }
  }

  private void write(K key, Node.Snapshot<V> seen, long ttlMillis) {
    long weight = capacity.weigher().applyAsLong(key, seen.value());
    try {
      table.updatePresent(
          key,
          UpdateDecisions.ifVersion(
              seen.version(), UpdateDecision.write(seen.value(), weight, ttlMillis).extending()));
    } catch (LogException | IllegalStateException refused) {
      // The log is full or has failed, the map is a standby by now, or closed; or a caller's
      // function reads, which must not write. The next read tries again.
    }
  }
}
