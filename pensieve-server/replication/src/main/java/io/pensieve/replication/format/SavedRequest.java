package io.pensieve.replication.format;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A request that made changes, as a snapshot keeps it.
 *
 * @param id the client's id of the request
 * @param millis the leader's time of day when it executed the request
 * @param changes its changes, in their order
 */
public record SavedRequest<V>(String id, long millis, List<SavedChange<V>> changes) {

  /**
   * A change of a request.
   *
   * @param version its sequence number
   * @param added whether the key had no entry before
   * @param removed whether it is a removal
   * @param value the value put, if it is kept
   */
  public record SavedChange<V>(long version, boolean added, boolean removed, @Nullable V value) {
    int flags() {
      return (added ? 1 : 0) | (removed ? 2 : 0) | (value != null ? 4 : 0);
    }
  }
}
