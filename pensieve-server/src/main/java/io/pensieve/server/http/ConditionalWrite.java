package io.pensieve.server.http;

import io.pensieve.Pensieve;
import io.pensieve.Submission;
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
abstract class ConditionalWrite {
  // No entry has it, so that asking for it is only looking.
  private static final long NO_VERSION = 0;

  /** Writes this if there is an entry of that version. */
  abstract Submission<StoredValue> ifVersion(long version);

  /** Writes this if there is no entry. */
  abstract Submission<StoredValue> ifAbsent();

  /** Puts a value. */
  static ConditionalWrite put(
      Pensieve<String, StoredValue> memories,
      String key,
      StoredValue value,
      Optional<Duration> life) {
    return new ConditionalWrite() {
      @Override
      Submission<StoredValue> ifVersion(long version) {
        return life.isPresent()
            ? memories.submitReplaceIfVersion(key, version, value, life.get())
            : memories.submitReplaceIfVersion(key, version, value);
      }

      @Override
      Submission<StoredValue> ifAbsent() {
        return life.isPresent()
            ? memories.submitPutIfAbsent(key, value, life.get())
            : memories.submitPutIfAbsent(key, value);
      }
    };
  }

  /** Removes the entry, if there is one. */
  static ConditionalWrite removal(Pensieve<String, StoredValue> memories, String key) {
    return new ConditionalWrite() {
      @Override
      Submission<StoredValue> ifVersion(long version) {
        return memories.submitRemoveIfVersion(key, version);
      }

      @Override
      Submission<StoredValue> ifAbsent() {
        return memories.submitRemoveIfVersion(key, NO_VERSION);
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
  Submission<StoredValue> submitIf(LongPredicate condition) {
    while (true) {
      Submission<StoredValue> look = ifVersion(NO_VERSION);
      long version = look.version();
      if (!condition.test(version)) {
        return look;
      }
      Submission<StoredValue> write = version == NO_VERSION ? ifAbsent() : ifVersion(version);
      boolean nothingToRemove = version == NO_VERSION && write.version() == NO_VERSION;
      if (write.applied() || nothingToRemove) {
        return write;
      }
    }
  }
}
