package io.pensieve.server;

import io.pensieve.log.Change;
import io.pensieve.log.Codec;
import io.pensieve.log.ReplayHandler;
import io.pensieve.server.http.value.EntryWeigher;
import io.pensieve.server.http.value.StoredValue;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Counts the entries of a log that exceed a capacity, the least recently used first. Keeps their
 * keys in memory, but not their values.
 */
final class OverflowCounter implements ReplayHandler<byte[], byte[]> {
  private final Map<ByteBuffer, Long> weights = new LinkedHashMap<>(16, 0.75f, true);
  private final InstantSource clock;

  OverflowCounter(InstantSource clock) {
    this.clock = clock;
  }

  @Override
  public void entry(Change.Put<byte[], byte[]> put, long version, long stamp) {
    put(put);
  }

  @Override
  public void change(long sequence, Change<byte[], byte[]> change) {
    ByteBuffer key = ByteBuffer.wrap(change.key());
    if (change instanceof Change.Put<byte[], byte[]> put) {
      put(put);
    } else if (change instanceof Change.Remove<byte[], byte[]>) {
      weights.remove(key);
    } else {
      weights.get(key); // records the use
    }
  }

  private void put(Change.Put<byte[], byte[]> put) {
    ByteBuffer key = ByteBuffer.wrap(put.key());
    if (put.expiryMillis() != Change.NEVER && put.expiryMillis() <= clock.millis()) {
      weights.remove(key); // expired: the map drops it under any capacity
    } else {
      weights.put(
          key,
          EntryWeigher.OF_PROCESS.weigh(
              Codec.utf8().decode(put.key()), StoredValue.codec().decode(put.value())));
    }
  }

  @Override
  public void progress(long bytesRead, long bytesTotal) {}

  int entries() {
    return weights.size();
  }

  /** Returns the heap bytes of all entries. */
  long bytes() {
    return weights.values().stream().mapToLong(weight -> weight).sum();
  }

  /** Returns how many entries exceed this capacity. */
  int beyond(EntryCapacity bound) {
    long entries = entries();
    long bytes = bytes();
    int dropped = 0;
    // As in the map, an entry that is too large alone goes first: it must not evict the others.
    for (long weight : weights.values()) {
      if (weight > bound.bytes()) {
        dropped++;
        entries--;
        bytes -= weight;
      }
    }
    for (long weight : weights.values()) {
      if (entries <= bound.entries() && bytes <= bound.bytes()) {
        return dropped;
      }
      if (weight <= bound.bytes()) {
        dropped++;
        entries--;
        bytes -= weight;
      }
    }
    return dropped;
  }
}
