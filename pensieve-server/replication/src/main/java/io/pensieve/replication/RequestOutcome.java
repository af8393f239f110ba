package io.pensieve.replication;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a request has changed, as the log remembers it by the request's id.
 *
 * @param changes the changes of the request's first write, in their order; at least one
 */
public record RequestOutcome<V>(List<ChangeOutcome<V>> changes) {

  /** The largest change whose value is remembered: its encoded key and value, in bytes. */
  public static final int SMALL_BYTES_MAX = 128;

  /**
   * One change of a request.
   *
   * @param version the sequence number of the change
   * @param added whether the key had no entry before
   * @param removed whether it is a removal
   * @param value the value put; null for a removal, and for a change of more than {@link
   *     #SMALL_BYTES_MAX}
   */
  public record ChangeOutcome<V>(long version, boolean added, boolean removed, @Nullable V value) {}

  /** The version of the last change: show the outcome only once this one is acknowledged. */
  public long version() {
    return changes.get(changes.size() - 1).version();
  }
}
