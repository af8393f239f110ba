package io.pensieve.replication;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a request changed, as the log remembers it by the request's id.
 *
 * @param changes the changes of the request's first write, in their order; at least one
 */
public record RequestOutcome<V>(List<ChangeOutcome<V>> changes) {

  /** The longest encoded value that is remembered, in bytes. */
  public static final int VALUE_BYTES_MAX = 64;

  /**
   * One change of a request.
   *
   * @param version the sequence number of the change. Show the outcome only once {@link
   *     RaftLog#whenDurable} has completed for it
   * @param added whether the key had no entry before
   * @param removed whether it is a removal
   * @param value the value put; null for a removal, and if its encoding is longer than {@link
   *     #VALUE_BYTES_MAX}
   */
  public record ChangeOutcome<V>(long version, boolean added, boolean removed, @Nullable V value) {}

  /** The version of the last change. */
  public long version() {
    return changes.get(changes.size() - 1).version();
  }
}
