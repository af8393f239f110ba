package io.pensieve.replication.format;

import java.util.List;

/**
 * A request that made changes, as its leader describes it to the members.
 *
 * @param id the client's id of the request
 * @param millis the leader's time of day when it executed the request
 * @param effects one for each of the request's changes
 */
public record Request(String id, long millis, List<Effect> effects) {

  /**
   * What is not in the change itself.
   *
   * @param added whether the key had no entry before
   * @param small whether the members remember the value with the request
   */
  public record Effect(boolean added, boolean small) {
    static Effect of(int flags) {
      return new Effect((flags & 1) != 0, (flags & 2) != 0);
    }

    int flags() {
      return (added ? 1 : 0) | (small ? 2 : 0);
    }
  }
}
