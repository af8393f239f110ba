package io.pensieve.server.linearizability;

/** What a client asks of one key. */
public sealed interface Request {
  /** The condition of a write that has none. */
  long ANY_VERSION = -1;

  /** The condition of a write that wants no entry to be there. */
  long ABSENT = 0;

  /** Asks for value and version. */
  record Get() implements Request {
    @Override
    public String toString() {
      return "GET";
    }
  }

  /**
   * Writes a value.
   *
   * @param condition the version that the entry must have, or one of the constants
   * @param ttlNanos how long the entry lives; 0 for ever
   */
  record Put(String value, long condition, long ttlNanos) implements Request {
    @Override
    public String toString() {
      String ttl = ttlNanos == 0 ? "" : ", ttl " + ttlNanos / 1_000_000 + " ms";
      return "PUT \"" + value + '"' + ttl + inWords(condition);
    }
  }

  /** Removes the entry, if it has the version. */
  record Delete(long condition) implements Request {
    @Override
    public String toString() {
      return "DELETE" + inWords(condition);
    }
  }

  /** Adds to the number that the value is. A missing entry counts as 0. */
  record Increment(long by) implements Request {
    @Override
    public String toString() {
      return "INCR " + by;
    }
  }

  /** Asks whether the entry has this version, as a batch does. */
  record Check(long version) implements Request {
    @Override
    public String toString() {
      return "CHECK" + inWords(version);
    }
  }

  private static String inWords(long condition) {
    if (condition == ANY_VERSION) {
      return "";
    }
    return condition == ABSENT ? " if absent" : " if version " + condition;
  }
}
