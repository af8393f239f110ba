package io.pensieve.replication.ratis;

import io.pensieve.replication.consensus.ConsensusStatus;
import io.pensieve.replication.consensus.ConsensusStatus.MemberProgress;
import io.pensieve.replication.consensus.ConsensusStatus.Role;
import io.pensieve.replication.consensus.ForceLatency;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.ratis.metrics.impl.DefaultTimekeeperImpl;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.proto.RaftProtos.ServerRpcProto;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.raftlog.segmented.SegmentedRaftLog;
import org.apache.ratis.thirdparty.com.codahale.metrics.Snapshot;
import org.apache.ratis.thirdparty.com.codahale.metrics.Timer;
import org.apache.ratis.util.LifeCycle;

/** The state of a member, from what Ratis says. */
final class MemberStatus {
  static final long NOT_LEADING = -1;

  private MemberStatus() {}

  static IOException notRunning() {
    return new IOException("this member is not running");
  }

  static ConsensusStatus outside() {
    return new ConsensusStatus(Role.OUTSIDE, 0, Optional.empty(), 0, 0, List.of());
  }

  static ConsensusStatus of(RaftServer.Division division) {
    DivisionInfo info = division.getInfo();
    Role role = role(division);
    Optional<String> leader =
        Optional.ofNullable(role == Role.OUTSIDE ? null : info.getLeaderId())
            .map(RaftPeerId::toString);
    return new ConsensusStatus(
        role,
        info.getCurrentTerm(),
        leader,
        division.getRaftLog().getLastCommittedIndex(),
        info.getLastAppliedIndex(),
        members(division, role));
  }

  /** The term in which a member leads, or {@link #NOT_LEADING}. */
  static long leadingTerm(RaftServer.Division division) {
    DivisionInfo info = division.getInfo();
    return info.isLeader() ? info.getCurrentTerm() : NOT_LEADING;
  }

  /** The follower that has the most of the log, among those that answer. */
  static Optional<String> mostUpToDate(ConsensusStatus status, EngineSettings settings) {
    return status.members().stream()
        .filter(other -> !other.member().id().equals(settings.self))
        .filter(other -> other.matched() >= 0)
        .filter(other -> other.silentMillis() < settings.electionMillis)
        .max(Comparator.comparingLong(MemberProgress::matched))
        .map(other -> other.member().id());
  }

  /** From the timer that Ratis has around each force of its log. */
  static ForceLatency forceLatency(RaftServer.Division division) {
    if (division.getRaftLog() instanceof SegmentedRaftLog log
        && log.getRaftLogMetrics().getSyncTimer() instanceof DefaultTimekeeperImpl timekeeper) {
      Timer forces = timekeeper.getTimer();
      Snapshot last = forces.getSnapshot();
      return new ForceLatency(
          forces.getCount(),
          (long) last.getMedian(),
          (long) last.get99thPercentile(),
          last.getMax());
    }
    return ForceLatency.NONE;
  }

  /** A division that was removed or closed goes on saying what it was: it must run to count. */
  private static Role role(RaftServer.Division division) {
    DivisionInfo info = division.getInfo();
    boolean isMember = division.getRaftConf().getPeer(division.getId()) != null;
    if (info.getLifeCycleState() != LifeCycle.State.RUNNING || !isMember) {
      return Role.OUTSIDE;
    }
    RaftPeerRole role = info.getCurrentRole();
    return switch (role) {
      case LEADER -> info.isLeaderReady() ? Role.LEADER : Role.CANDIDATE;
      case CANDIDATE -> Role.CANDIDATE;
      case LISTENER -> Role.LISTENER;
      default -> Role.FOLLOWER;
    };
  }

  private static List<MemberProgress> members(RaftServer.Division division, Role role) {
    Collection<RaftPeer> peers = division.getRaftConf().getAllPeers();
    List<ServerRpcProto> heard = List.of();
    long[] matched = new long[0];
    if (role == Role.LEADER) {
      heard = division.getInfo().getRoleInfoProto().getLeaderInfo().getFollowerInfoList();
      long[] indices = division.getInfo().getFollowerMatchIndices();
      matched = indices == null ? matched : indices;
    }
    List<MemberProgress> members = new ArrayList<>();
    for (RaftPeer peer : peers) {
      members.add(progress(division, peer, heard, matched));
    }
    return members;
  }

  /** Ratis lists the followers in the same order twice, unless they change in between. */
  private static MemberProgress progress(
      RaftServer.Division division, RaftPeer peer, List<ServerRpcProto> heard, long[] matched) {
    boolean isLeader = matched.length > 0 || !heard.isEmpty();
    if (isLeader && peer.getId().equals(division.getId())) {
      long last = division.getRaftLog().getNextIndex() - 1;
      return new MemberProgress(RatisPeers.toMember(peer), last, 0);
    }
    for (int i = 0; i < heard.size() && heard.size() == matched.length; i++) {
      if (heard.get(i).getId().getId().equals(peer.getId().toByteString())) {
        return new MemberProgress(
            RatisPeers.toMember(peer), matched[i], heard.get(i).getLastRpcElapsedTimeMs());
      }
    }
    return new MemberProgress(RatisPeers.toMember(peer), -1, -1);
  }
}
