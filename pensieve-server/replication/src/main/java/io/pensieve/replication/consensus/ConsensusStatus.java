package io.pensieve.replication.consensus;

import java.util.List;
import java.util.Optional;

/**
 * The state of a member, as it knows it.
 *
 * @param role what it is at the moment
 * @param term its current term
 * @param leader the id of the leader, if it knows one
 * @param committed the index up to which entries are committed
 * @param applied the index up to which they were applied here
 * @param members the members of the cluster, this one included; none if it is in no cluster yet
 */
public record ConsensusStatus(
    Role role,
    long term,
    Optional<String> leader,
    long committed,
    long applied,
    List<MemberProgress> members) {

  /** What a member is at the moment. */
  public enum Role {
    LEADER,
    FOLLOWER,
    CANDIDATE,
    /** It receives entries and does not vote. */
    LISTENER,
    /** It is in no cluster yet, was removed from it, or has stopped. */
    OUTSIDE
  }

  /**
   * A member and how far it is.
   *
   * @param matched the index up to which it has the entries, if this node leads; otherwise -1
   * @param silentMillis how long ago it was last heard of, if this node leads; otherwise -1
   */
  public record MemberProgress(Member member, long matched, long silentMillis) {}
}
