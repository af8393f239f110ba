package io.pensieve;

import io.pensieve.log.Change;
import io.pensieve.log.Log;
import io.pensieve.log.RecoveryReport;
import io.pensieve.log.Replay;
import java.util.AbstractMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/** A first step towards the durable LRU map: one lock, and the door as it will be. */
public final class Pensieve<K, V> extends AbstractMap<K, V>
    implements ConcurrentMap<K, V>, AutoCloseable {
  private final Map<K, V> map = new LinkedHashMap<>(16, 0.75f, true);
  private final long maximumEntries;
  private final Log<K, V> log;
  private final RecoveryReport recovery;

  private Pensieve(long maximumEntries, Log<K, V> log, RecoveryProgress progress) {
    this.maximumEntries = maximumEntries;
    this.log = log;
    this.recovery =
        log.replay(
            new Replay<>() {
              @Override
              public void change(long sequence, Change<K, V> change) {
                if (change instanceof Change.Put<K, V> put) {
                  map.put(put.key(), put.value());
                } else if (change instanceof Change.Remove<K, V>) {
                  map.remove(change.key());
                } else {
                  map.get(change.key());
                }
              }

              @Override
              public void entry(K key, V value, long version, long stamp) {
                map.put(key, value);
              }

              @Override
              public void progress(long bytesRead, long bytesTotal) {
                progress.recovered(bytesRead, bytesTotal);
              }
            });
  }

  /** A builder with defaults: at most 1000 entries, no log. */
  public static <K, V> Builder<K, V> builder() {
    return new Builder<>();
  }

  @Override
  public synchronized @Nullable V get(Object key) {
    return map.get(key);
  }

  @Override
  public @Nullable V put(K key, V value) {
    Submission<V> put = submitPut(key, value);
    log.awaitDurable(put.version());
    return put.previous();
  }

  @Override
  public @Nullable V remove(Object key) {
    @SuppressWarnings("unchecked")
    K typed = (K) key;
    Submission<V> removal = submitRemove(typed);
    log.awaitDurable(removal.version());
    return removal.previous();
  }

  /** Puts without waiting for the log to acknowledge it. */
  public synchronized Submission<V> submitPut(K key, V value) {
    long version = log.append(new Change.Put<>(key, value));
    V previous = map.put(key, value);
    if (map.size() > maximumEntries) {
      K coldest = map.keySet().iterator().next();
      log.append(new Change.Remove<>(coldest));
      map.remove(coldest);
    }
    return new Submission<>(previous, version, log.whenDurable(version));
  }

  /** Removes without waiting for the log to acknowledge it. */
  public synchronized Submission<V> submitRemove(K key) {
    long version = map.containsKey(key) ? log.append(new Change.Remove<>(key)) : 0;
    return new Submission<>(map.remove(key), version, log.whenDurable(version));
  }

  /** What the log found when this map was opened. */
  public RecoveryReport recovery() {
    return recovery;
  }

  /** The bound: how many entries this map holds at most. */
  public long maximumEntries() {
    return maximumEntries;
  }

  @Override
  public Set<Entry<K, V>> entrySet() {
    return map.entrySet();
  }

  @Override
  public @Nullable V putIfAbsent(K key, V value) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean remove(Object key, Object value) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean replace(K key, V oldValue, V newValue) {
    throw new UnsupportedOperationException();
  }

  @Override
  public @Nullable V replace(K key, V value) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    log.close();
  }

  /** Settings of a map; {@link #open} makes it. */
  public static final class Builder<K, V> {
    private long maximumEntries = 1000;
    private Log<K, V> log = Log.none();
    private RecoveryProgress progress = (read, total) -> {};

    private Builder() {}

    /** The bound, at least 1. */
    public Builder<K, V> maximumEntries(long maximumEntries) {
      if (maximumEntries < 1) {
        throw new IllegalArgumentException("maximumEntries must be at least 1: " + maximumEntries);
      }
      this.maximumEntries = maximumEntries;
      return this;
    }

    /** Where changes go. The map closes the log. */
    public Builder<K, V> log(Log<K, V> log) {
      this.log = log;
      return this;
    }

    /** Who is told how far a recovery has come. */
    public Builder<K, V> recoveryProgress(RecoveryProgress progress) {
      this.progress = progress;
      return this;
    }

    /** Replays the log and returns the map, or throws and leaves nothing open. */
    public Pensieve<K, V> open() {
      try {
        return new Pensieve<>(maximumEntries, log, progress);
      } catch (RuntimeException | Error failed) {
        log.close();
        throw failed;
      }
    }
  }
}
