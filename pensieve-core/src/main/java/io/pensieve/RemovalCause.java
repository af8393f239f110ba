package io.pensieve;

/** Why a value is no longer in a map. */
public enum RemovalCause {
  /** The bound was exceeded, and this was the least recently used entry. */
  EVICTED,
  /** The entry expired. */
  EXPIRED,
  /**
   * A caller removed the key, by any method, view or iterator. On a replicated log also: the write
   * of the value was lost with the leadership, and undone. The value before it, if there was one,
   * comes back without a call of the listener.
   */
  REMOVED,
  /**
   * A caller gave the key another value, or the same one again: also by a touch, or by a read that
   * changes how long the entry lives.
   */
  REPLACED
}
