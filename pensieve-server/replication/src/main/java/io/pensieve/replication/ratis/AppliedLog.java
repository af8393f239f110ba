package io.pensieve.replication.ratis;

import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.StateMachine;
import io.pensieve.replication.grpc.PeerConnections;
import io.pensieve.replication.ratis.OwnRequests.ProposedEntry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.proto.RaftProtos.RoleInfoProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.exceptions.StateMachineException;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.statemachine.impl.SingleFileSnapshotInfo;
import org.apache.ratis.util.LifeCycle;
import org.jspecify.annotations.Nullable;

/**
 * What Ratis applies its log to: it hands everything on to a {@link StateMachine}, one call at a
 * time.
 *
 * <p>Ratis applies entries in a thread of its own, the updater. It says there that this member
 * leads, when it applies the first entry of the term. But it says in any thread, and under its own
 * lock, that this member leads no more. So the changes of role wait in a queue. Whoever holds
 * {@link #calls} next delivers them first: the updater before its next entry, or {@link #roles} at
 * once. Thus an entry of a later term is never applied before the machine knows that its own is
 * over.
 */
final class AppliedLog extends BaseStateMachine {
  private final StateMachine machine;
  private final SnapshotFolder snapshots;
  private final Executor roles;
  private final EngineEvents events;

  /** Of the updater alone, and of the thread that starts it. */
  private final RetainedLog retained;

  /** Held during each call of the machine. Taken after no other lock but Ratis' own. */
  private final ReentrantLock calls = new ReentrantLock();

  /** The terms that began here (positive) and ended (zero), in their order. Its own lock. */
  private final Queue<Long> roleChanges = new ArrayDeque<>();

  /** The term in which the machine leads; zero if it follows. Under {@link #calls}. */
  private long leadingTerm;

  /** The term of the last configuration applied. Of the updater alone. */
  private long configurationTerm;

  /**
   * The last entry applied that a read can tell from the one before it. Stored before the machine
   * gets the entry: once anybody knows of its effects, a follower that asks is told to wait for it.
   */
  private volatile long readIndex;

  private volatile RaftServer.@Nullable Division division;

  AppliedLog(
      StateMachine machine,
      SnapshotFolder snapshots,
      RetainedLog retained,
      Executor roles,
      EngineEvents events) {
    this.machine = machine;
    this.retained = retained;
    this.events = events;
    this.snapshots = snapshots;
    this.roles = roles;
  }

  @Override
  public void initialize(RaftServer server, RaftGroupId group, RaftStorage storage)
      throws IOException {
    super.initialize(server, group, storage);
    getLifeCycle().transition(LifeCycle.State.STARTING);
    snapshots.init(storage);
    restore(snapshots.getLatestSnapshot());
    getLifeCycle().transition(LifeCycle.State.RUNNING);
  }

  /** Forces what has been received of a leader's snapshot. */
  void forceIncoming() throws IOException {
    snapshots.forceIncoming();
  }

  /** Called once the server is built, before it starts. */
  void attach(RaftServer.Division division) {
    this.division = division;
  }

  private void restore(@Nullable SingleFileSnapshotInfo snapshot) {
    if (snapshot == null) {
      return;
    }
    LogPosition position = new LogPosition(snapshot.getTerm(), snapshot.getIndex());
    calls.lock();
    try {
      deliverRoleChanges();
      readIndex = position.index();
      machine.restore(position, snapshot.getFile().getPath());
      retained.beginsAnew();
      setLastAppliedTermIndex(snapshot.getTermIndex());
    } finally {
      calls.unlock();
    }
  }

  /** The fence: under Ratis' lock, in which the term cannot change. */
  @Override
  public TransactionContext preAppendTransaction(TransactionContext context) throws IOException {
    RaftServer.Division here = division;
    if (context.getClientRequest().getMessage() instanceof ProposedEntry entry
        && here != null
        && here.getInfo().getCurrentTerm() == entry.term()) {
      return context;
    }
    throw new StateMachineException("the entry was proposed in another term", false);
  }

  @Override
  public CompletableFuture<Message> applyTransaction(TransactionContext context) {
    LogEntryProto entry = context.getLogEntry();
    byte[] content = entry.getStateMachineLogEntry().getLogData().toByteArray();
    LogPosition position = new LogPosition(entry.getTerm(), entry.getIndex());
    retained.applied(position.index(), content.length);
    calls.lock();
    try {
      deliverRoleChanges();
      if (content.length > 0) { // an empty one is a leader's barrier
        if (machine.isVisible(content)) {
          readIndex = position.index();
        }
        machine.apply(position, content);
      }
      updateLastAppliedTermIndex(position.term(), position.index());
    } catch (RuntimeException | Error failed) {
      events.failed(failed);
      throw failed;
    } finally {
      calls.unlock();
    }
    return CompletableFuture.completedFuture(Message.EMPTY);
  }

  long readIndex() {
    return readIndex;
  }

  @Override
  public void notifyConfigurationChanged(
      long term, long index, RaftConfigurationProto configuration) {
    configurationTerm = term;
    RaftServer.Division here = division;
    if (here != null && !here.getInfo().isLeader()) { // a leader uses its connections
      // The newest list, also while older ones are applied after a start.
      Collection<RaftPeer> members = here.getRaftConf().getAllPeers();
      PeerConnections.keepOnly(here.getRaftServer(), members);
      here.getRaftServer().getServerRpc().addRaftPeers(members);
    }
  }

  /** Called by the updater, while it applies the first entry of this leader's term. */
  @Override
  public void notifyLeaderReady() {
    changeRole(configurationTerm);
    deliverNow();
  }

  @Override
  public void notifyNotLeader(Collection<TransactionContext> pending) {
    changeRole(0);
    try {
      roles.execute(this::deliverNow);
    } catch (RejectedExecutionException closed) {
      // Then RatisConsensus.close delivers it.
    }
  }

  private void changeRole(long term) {
    synchronized (roleChanges) {
      roleChanges.add(term);
    }
  }

  void deliverNow() {
    calls.lock();
    try {
      deliverRoleChanges();
    } catch (RuntimeException | Error failed) {
      events.failed(failed);
      throw failed;
    } finally {
      calls.unlock();
    }
  }

  private void deliverRoleChanges() {
    for (; ; ) {
      Long term;
      synchronized (roleChanges) {
        term = roleChanges.poll();
      }
      if (term == null) {
        return;
      }
      if (leadingTerm != 0) {
        leadingTerm = 0;
        machine.follow();
      }
      if (term > 0 && stillLeads(term)) {
        leadingTerm = term;
        machine.lead(term);
      }
    }
  }

  /**
   * A term can end before Ratis says that it began. If it is over, Ratis has said so already and
   * changed the role before that; if it ends after this look, it will say so.
   */
  private boolean stillLeads(long term) {
    RaftServer.Division here = division;
    return here != null
        && here.getInfo().getLifeCycleState() == LifeCycle.State.RUNNING
        && here.getInfo().getCurrentRole() == RaftPeerRole.LEADER
        && here.getInfo().getCurrentTerm() == term;
  }

  @Override
  public CompletableFuture<Message> query(Message request) {
    return CompletableFuture.completedFuture(Message.EMPTY);
  }

  /**
   * Runs in the updater, which must not walk: the snapshot is in place already.
   *
   * @return up to where Ratis may forget its log
   */
  @Override
  public long takeSnapshot() {
    SingleFileSnapshotInfo newest = snapshots.announce();
    return newest == null ? RaftLog.INVALID_LOG_INDEX : retained.forgettable(newest.getIndex());
  }

  @Override
  public StateMachineStorage getStateMachineStorage() {
    return snapshots;
  }

  @Override
  public void pause() {
    getLifeCycle().transition(LifeCycle.State.PAUSING);
    getLifeCycle().transition(LifeCycle.State.PAUSED);
    try {
      snapshots.beginInstall();
    } catch (IOException e) {
      events.failed(e);
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void reinitialize() throws IOException {
    getLifeCycle().transition(LifeCycle.State.STARTING);
    try {
      restore(snapshots.reload());
    } catch (IOException | RuntimeException | Error failed) {
      events.failed(failed);
      throw failed;
    }
    getLifeCycle().transition(LifeCycle.State.RUNNING);
  }

  @Override
  public void notifyLogFailed(Throwable cause, @Nullable LogEntryProto entry) {
    events.failed(cause);
  }

  @Override
  public void notifyLeaderChanged(RaftGroupMemberId member, RaftPeerId leader) {
    events.leaderIs(leader.toString());
  }

  @Override
  public void notifyExtendedNoLeader(RoleInfoProto role) {
    events.noLeader();
  }

  @Override
  public void notifyFollowerSlowness(RoleInfoProto role, RaftPeer follower) {
    events.slow(follower.getId().toString());
  }

  /** The updater ends: because the member is closed, was removed, or has failed. */
  @Override
  public void close() {
    RaftServer.Division here = division;
    // The list that is coming, if it changes just now: a removed member may never see the end of
    // it.
    boolean isMember =
        here == null
            || here.getRaftConf().getCurrentPeers().stream()
                .anyMatch(peer -> peer.getId().equals(here.getId()));
    events.stopped(isMember);
  }
}
