package io.pensieve;

/** Why a value is no longer in a map. */
public enum RemovalCause {
  /** The bound was exceeded, and this was the least recently used entry. */
  EVICTED,
  /** The entry expired. */
  EXPIRED,
  /** A caller removed the key, by any method, view or iterator. */
  REMOVED,
  /** A caller gave the key another value, or the same one again. */
  REPLACED
}
