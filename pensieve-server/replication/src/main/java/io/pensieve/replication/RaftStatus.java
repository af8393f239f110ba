package io.pensieve.replication;

import io.pensieve.replication.consensus.ConsensusStatus.MemberProgress;
import io.pensieve.replication.consensus.ConsensusStatus.Role;
import io.pensieve.replication.consensus.Member;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The state of a {@link RaftLog}, as this node knows it. The fields are read one after another
 * while the log is in use, so they need not match exactly.
 *
 * @param role what the engine is at the moment
 * @param term the current term
 * @param leader the leader, if this node knows one
 * @param committed the index up to which entries are committed
 * @param applied the index up to which they were applied here
 * @param members the members of the cluster with their progress; none if this node is in no cluster
 * @param leading whether writes are executed on this node
 * @param restoring whether the map is not yet consistent, because it was loaded from a snapshot and
 *     the changes that the snapshot contains in part are still to come
 * @param sequence the last acknowledged sequence number
 * @param waitingChanges the number of changes that wait to be acknowledged
 * @param waitingBytes their size
 * @param leaderChanges how many times this node has seen a leader begin, since it was started
 * @param commits the number of entries that this node proposed and that were committed
 * @param commitTime how long that took together
 * @param longestCommit how long the longest of them took; zero if there was none
 * @param snapshot the last snapshot; empty if there is none
 * @param failure why this log has failed for good; empty if it has not
 */
public record RaftStatus(
    Role role,
    long term,
    Optional<Member> leader,
    long committed,
    long applied,
    List<MemberProgress> members,
    boolean leading,
    boolean restoring,
    long sequence,
    long waitingChanges,
    long waitingBytes,
    long leaderChanges,
    long commits,
    Duration commitTime,
    Duration longestCommit,
    Optional<SavedSnapshot> snapshot,
    Optional<String> failure) {

  /**
   * A saved state of the map.
   *
   * @param index the index of the last entry that it contains as a whole
   * @param bytes the size of its file
   * @param age how long ago it was saved or received
   */
  public record SavedSnapshot(long index, long bytes, Duration age) {}
}
