package io.pensieve.server.http.value;

import io.pensieve.PendingWrite;
import io.pensieve.Pensieve;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongPredicate;

/**
 * A write or a removal under any condition on the entry's version. The map itself only supports a
 * specific version, or absence.
 *
 * <p>The write reads the version and tests it. Then it asks the map to write if the version is
 * unchanged; otherwise it starts again. So the condition held at the moment of the write. A failed
 * write reports a version that failed the condition when it was read. Each repetition means that
 * another client has written.
 */
public abstract class ConditionalWrite {
  // No entry has this version, so a write for it only reads the current version.
  private static final long NO_VERSION = 0;

  /** Writes if the entry has this version. */
  abstract PendingWrite<StoredValue> ifVersion(long version);

  /** Writes if there is no entry. */
  abstract PendingWrite<StoredValue> ifAbsent();

  /** Returns a write that puts a value. */
  public static ConditionalWrite put(
      Pensieve<String, StoredValue> map, String key, StoredValue value, Optional<Duration> ttl) {
    return new ConditionalWrite() {
      @Override
      PendingWrite<StoredValue> ifVersion(long version) {
        return ttl.isPresent()
            ? map.replaceIfVersionAsync(key, version, value, ttl.get())
            : map.replaceIfVersionAsync(key, version, value);
      }

      @Override
      PendingWrite<StoredValue> ifAbsent() {
        return ttl.isPresent()
            ? map.putIfAbsentAsync(key, value, ttl.get())
            : map.putIfAbsentAsync(key, value);
      }
    };
  }

  /** Returns a write that removes the entry, if there is one. */
  public static ConditionalWrite removal(Pensieve<String, StoredValue> map, String key) {
    return new ConditionalWrite() {
      @Override
      PendingWrite<StoredValue> ifVersion(long version) {
        return map.removeIfVersionAsync(key, version);
      }

      @Override
      PendingWrite<StoredValue> ifAbsent() {
        return map.removeIfVersionAsync(key, NO_VERSION);
      }
    };
  }

  /**
   * Writes if the condition holds.
   *
   * @param condition tests the version of the entry, or 0 if there is none
   * @return the write; or, not applied, the version that failed the condition, or 0 if there was
   *     nothing to remove
   */
  public PendingWrite<StoredValue> submitIf(LongPredicate condition) {
    while (true) {
      PendingWrite<StoredValue> look = ifVersion(NO_VERSION);
      long version = look.version();
      if (!condition.test(version)) {
        return look;
      }
      PendingWrite<StoredValue> write = version == NO_VERSION ? ifAbsent() : ifVersion(version);
      boolean nothingToRemove = version == NO_VERSION && write.version() == NO_VERSION;
      if (write.applied() || nothingToRemove) {
        return write;
      }
    }
  }
}
