package io.pensieve;

import static java.util.Objects.requireNonNull;

import io.pensieve.log.Log;

/**
 * The settings of a map, each checked when it is given. Not thread-safe.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public final class PensieveBuilder<K, V> {
  long maximumEntries = 1000;
  Log<K, V> log = Log.none();
  RecoveryProgress progress = (bytesRead, bytesTotal) -> {};

  PensieveBuilder() {}

  /**
   * The bound: how many entries the map holds at most. Default 1000. An entry costs about 100 bytes
   * beyond its key and value. A log that holds more entries than this loses the coldest of them
   * when it is opened.
   *
   * @throws IllegalArgumentException if below 1
   */
  public PensieveBuilder<K, V> maximumEntries(long maximumEntries) {
    if (maximumEntries < 1) {
      throw new IllegalArgumentException("maximumEntries must be at least 1: " + maximumEntries);
    }
    this.maximumEntries = maximumEntries;
    return this;
  }

  /**
   * Where changes go. Default {@link Log#none()}: the map is then an LRU map in memory. A log
   * belongs to one map, which closes it, also if opening fails.
   */
  public PensieveBuilder<K, V> log(Log<K, V> log) {
    this.log = requireNonNull(log);
    return this;
  }

  /** Who is told how far {@link #open} has come. Default: nobody. */
  public PensieveBuilder<K, V> recoveryProgress(RecoveryProgress progress) {
    this.progress = requireNonNull(progress);
    return this;
  }

  /**
   * Replays the log and returns the map, ready for use, or throws and leaves nothing open. Takes as
   * long as reading the log does.
   *
   * @throws io.pensieve.log.LogException if the log cannot be read
   */
  public Pensieve<K, V> open() {
    try {
      return new Pensieve<>(this);
    } catch (RuntimeException | Error failed) {
      closeAfter(failed);
      throw failed;
    }
  }

  private void closeAfter(Throwable failed) {
    try {
      log.close();
    } catch (RuntimeException alsoFailed) {
      failed.addSuppressed(alsoFailed);
    }
  }
}
