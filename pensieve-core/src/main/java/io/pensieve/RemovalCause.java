package io.pensieve;

/** Why a value is no longer in a map. */
public enum RemovalCause {
  /** The bound did not allow it any more, and it was the one used longest ago. */
  EVICTED,
  /** Its time was over. */
  EXPIRED,
  /** A caller removed its key, by whichever method, view or iterator. */
  REMOVED,
  /** A caller gave its key another value, or the same one once more. */
  REPLACED
}
