package io.pensieve.server.linearizability;

/** What a client was told. A request that was refused has changed nothing, and is in no history. */
public sealed interface Answer {

  /** There is an entry. */
  record Found(String value, long version) implements Answer {
    @Override
    public String toString() {
      return '"' + value + "\" version " + version;
    }
  }

  /** There is no entry. */
  record Missing() implements Answer {
    @Override
    public String toString() {
      return "missing";
    }
  }

  /** The value was put; {@code isNew} says that there was no entry. */
  record Written(long version, boolean isNew) implements Answer {
    @Override
    public String toString() {
      return (isNew ? "created" : "replaced") + ", version " + version;
    }
  }

  /** There is no entry any more. */
  record Removed() implements Answer {
    @Override
    public String toString() {
      return "removed";
    }
  }

  /** The sum, which is the new value. */
  record Sum(long value, long version) implements Answer {
    @Override
    public String toString() {
      return "sum " + value + ", version " + version;
    }
  }

  /** The value is no number. */
  record NotANumber() implements Answer {
    @Override
    public String toString() {
      return "not a number";
    }
  }

  /** The entry has the version that was asked for. */
  record Holds() implements Answer {
    @Override
    public String toString() {
      return "holds";
    }
  }

  /** The condition fails: the entry has this version, or 0 for no entry. */
  record ConditionFailed(long version) implements Answer {
    @Override
    public String toString() {
      return "condition fails, version " + version;
    }
  }

  /** The client was told nothing. The request may have been done, or is done later, or never. */
  record Unknown() implements Answer {
    @Override
    public String toString() {
      return "outcome unknown";
    }
  }
}
