package io.pensieve.server.http.value;

import io.pensieve.PendingWrite;
import io.pensieve.Pensieve;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongPredicate;

/**
 * A write or a removal that depends on any condition of the entry's version: the map itself only
 * knows whether it is a certain one, or whether there is none.
 *
 * <p>How it holds: it looks which version there is, and if that one will do, asks the map to write
 * if it is still there; if it is not, it looks again. So the condition held at the moment of the
 * write. A refusal tells a version for which the condition does not hold, at the moment when it was
 * looked at. Somebody else has written whenever this has to look again.
 */
public abstract class ConditionalWrite {
  // No entry has it, so that asking for it is only looking.
  private static final long NO_VERSION = 0;

  /** Writes this if there is an entry of that version. */
  abstract PendingWrite<StoredValue> ifVersion(long version);

  /** Writes this if there is no entry. */
  abstract PendingWrite<StoredValue> ifAbsent();

  /** Puts a value. */
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

  /** Removes the entry, if there is one. */
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
   * @param condition asked for the version of the entry, or 0 if there is none
   * @return what was written; or, not applied, with the version that was refused, or with 0 if
   *     there was nothing to remove
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
