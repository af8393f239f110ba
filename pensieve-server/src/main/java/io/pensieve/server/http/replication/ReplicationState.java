package io.pensieve.server.http.replication;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The state of a node of a cluster, and of the cluster as the node knows it.
 *
 * @param memberId the id of this node within the cluster
 * @param role {@code leader}, {@code follower}, {@code candidate}, {@code listener} or {@code
 *     outside}
 * @param waitsFor why this node is not ready, and what helps; empty if it is
 * @param term the current term
 * @param leader the leader's id, if it is known
 * @param committedIndex the index up to which entries are committed
 * @param appliedIndex the index up to which they were applied here
 * @param members the members of the cluster, this one included; none if this node is in no cluster
 * @param pendingChanges how many changes wait for their commit here
 * @param pendingBytes how many bytes they have
 * @param leaderChanges how many times the leader changed since the start
 * @param snapshotAge how old the last snapshot is; empty if there is none
 * @param snapshotBytes its size
 */
public record ReplicationState(
    String memberId,
    String role,
    Optional<String> waitsFor,
    long term,
    Optional<String> leader,
    long committedIndex,
    long appliedIndex,
    List<Member> members,
    long pendingChanges,
    long pendingBytes,
    long leaderChanges,
    Optional<Duration> snapshotAge,
    long snapshotBytes) {

  /**
   * A member of the cluster.
   *
   * @param id its id
   * @param url its URL
   * @param lag how many entries it is behind, if this node leads; otherwise -1
   * @param silentMillis how long it has been silent, if this node leads; otherwise -1
   */
  public record Member(String id, URI url, long lag, long silentMillis) {}
}
