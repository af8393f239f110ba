package io.pensieve.server.http.value;

import io.pensieve.PendingWrite;
import io.pensieve.Pensieve;
import io.pensieve.TimeToLive;
import io.pensieve.Write;
import java.util.function.LongFunction;
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
public final class ConditionalWrite {
  // No entry has this version, so a removal of it only reads the current version.
  private static final long NO_VERSION = 0;

  private ConditionalWrite() {}

  /**
   * Puts if the condition holds.
   *
   * @param put the write without its condition
   * @param condition tests the version of the entry, or 0 if there is none
   * @return the write; or, not applied, the version that failed the condition
   */
  public static PendingWrite<StoredValue> put(
      Pensieve<String, StoredValue> map,
      String key,
      Write.Put<String, StoredValue> put,
      LongPredicate condition) {
    return writeIf(
        map,
        key,
        condition,
        version -> version == NO_VERSION ? put.ifAbsent() : put.ifVersion(version));
  }

  /**
   * Removes the entry if the condition holds.
   *
   * @param condition tests the version of the entry, or 0 if there is none
   * @return the removal; or, not applied, the version that failed the condition, or 0 if there was
   *     nothing to remove
   */
  public static PendingWrite<StoredValue> remove(
      Pensieve<String, StoredValue> map, String key, LongPredicate condition) {
    return writeIf(map, key, condition, version -> Write.removeIfVersion(key, version));
  }

  /**
   * Changes how long an entry lives, if the condition holds.
   *
   * @param condition tests the version of the entry, or 0 if there is none
   * @return the change; or, not applied, the version that failed the condition, or 0 if there is no
   *     entry
   */
  public static PendingWrite<StoredValue> touch(
      Pensieve<String, StoredValue> map, String key, TimeToLive ttl, LongPredicate condition) {
    Write.Touch<String, StoredValue> touch = Write.touch(key, ttl);
    return writeIf(map, key, condition, touch::ifVersion);
  }

  private static PendingWrite<StoredValue> writeIf(
      Pensieve<String, StoredValue> map,
      String key,
      LongPredicate condition,
      LongFunction<Write<String, StoredValue>> writeOver) {
    while (true) {
      PendingWrite<StoredValue> look = map.writeAsync(Write.removeIfVersion(key, NO_VERSION));
      long version = look.version();
      if (!condition.test(version)) {
        return look;
      }
      PendingWrite<StoredValue> write = map.writeAsync(writeOver.apply(version));
      boolean nothingToRemove = version == NO_VERSION && write.version() == NO_VERSION;
      if (write.applied() || nothingToRemove) {
        return write;
      }
    }
  }
}
