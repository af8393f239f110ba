package io.pensieve.server.http.replication;

/**
 * Which node of a replicating cluster may serve a route. Each route says so, and {@link LeaderGate}
 * enforces it. A server that does not replicate serves every route.
 */
public enum ServedBy {
  /** Any node, from what it has: monitoring, and changes that are committed anyway. */
  ANY_NODE,

  /**
   * A node that has applied everything that was committed before the request. So its reads are
   * linearizable. With {@code ?consistency=stale} any node that has a whole state.
   */
  CAUGHT_UP_NODE,

  /** The leader. Another node forwards the request to it. */
  LEADER
}
