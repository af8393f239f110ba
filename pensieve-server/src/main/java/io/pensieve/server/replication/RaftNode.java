package io.pensieve.server.replication;

import io.pensieve.log.Codec;
import io.pensieve.log.LogException;
import io.pensieve.replication.RaftLog;
import io.pensieve.replication.consensus.Consensus;
import io.pensieve.replication.consensus.ConsensusStatus.MemberProgress;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.ratis.RatisConsensus;
import io.pensieve.server.http.replication.Replication;
import io.pensieve.server.http.value.StoredValue;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/** This node of a cluster: its membership, its engine and its log. */
public final class RaftNode implements AutoCloseable {
  private static final int ENTRY_FRAME_BYTES = 64 << 10;
  private static final long SNAPSHOT_CHANGES = 1_000_000;
  private static final Duration SNAPSHOT_TIME = Duration.ofHours(1);

  private final ReplicationSettings settings;
  private final Consumer<String> events;
  private final ClusterMembership membership;
  private final RaftLog<String, StoredValue> log;
  private final RaftReplication replication;
  private final CapacityMonitor capacities;

  /**
   * Reads the folder. Starts nothing.
   *
   * @param events receives a line for each event of the cluster; must not block
   * @param onFailure called once if this node cannot go on: the process should end
   * @param onCommit called with the time of each commit, in nanoseconds
   * @param capacityListener hears of each member with another capacity
   * @throws LogException if the folder cannot be used
   */
  public RaftNode(
      ReplicationSettings settings,
      Consumer<String> events,
      Consumer<Throwable> onFailure,
      LongConsumer onCommit,
      CapacityMonitor.Listener capacityListener) {
    this.settings = settings;
    this.events = events;
    CardReader cards = new CardReader(settings.secret(), settings.trust());
    FoundedConsensus consensus = new FoundedConsensus(settings.folder().resolve("temporary"));
    try {
      membership = new ClusterMembership(settings, cards, consensus, this::engine, events);
    } catch (IOException unusable) {
      throw new LogException.Failed(String.valueOf(unusable.getMessage()), unusable);
    }
    log =
        RaftLog.on(consensus, Codec.utf8(), StoredValue.codec())
            .maximumChangeBytes(settings.changeBytesMax())
            .mapEntries(settings.capacity().entries())
            .snapshotEvery(SNAPSHOT_CHANGES, settings.raftLogBytes(), SNAPSHOT_TIME)
            .onEvent(events)
            .onFailure(onFailure)
            .onCommit(onCommit)
            .build();
    replication = new RaftReplication(membership, log, cards, consensus);
    capacities =
        new CapacityMonitor(
            membership::card, this::members, member -> cards.read(member.url()), capacityListener);
  }

  private List<Member> members() {
    return log.status().members().stream().map(MemberProgress::member).toList();
  }

  private Consensus engine(UUID cluster, List<Member> founders) {
    RatisConsensus.Builder engine =
        RatisConsensus.at(settings.folder(), cluster, settings.nodeId())
            .members(founders)
            .bind(settings.raftBind(), settings.raftPort())
            .entryBytesMax(settings.changeBytesMax() + ENTRY_FRAME_BYTES)
            .logBytes(settings.raftLogBytes())
            .onEvent(events);
    settings.raftTls().ifPresent(engine::tls);
    return engine.build();
  }

  /** Returns the log, for a map to be opened on. Closing the map closes it. */
  public RaftLog<String, StoredValue> log() {
    return log;
  }

  /** Returns what the routes need to know. */
  public Replication replication() {
    return replication;
  }

  /** Begins to look for a cluster, if the folder belongs to none. The map is open. */
  public void lookForCluster() {
    membership.lookForCluster();
    capacities.start();
  }

  /** Hands the leadership over, if this node leads, and waits for that. */
  public void handOver(Duration patience) throws InterruptedException {
    if (log.isLeading()) {
      try {
        log.transferLeadership(Optional.empty(), patience)
            .get(patience.toMillis(), TimeUnit.MILLISECONDS);
      } catch (ExecutionException | TimeoutException keptLeading) {
        events.accept("nobody took the lead over before this node stops");
      }
    }
  }

  /** Ends what asks for a cluster or changes its members. The map closes the log. */
  @Override
  public void close() {
    membership.close();
    replication.close();
    capacities.close();
  }
}
