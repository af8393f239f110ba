package io.pensieve.replication.ratis;

import io.pensieve.replication.consensus.Consensus;
import io.pensieve.replication.consensus.ConsensusStatus;
import io.pensieve.replication.consensus.ForceLatency;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.consensus.StateMachine;
import io.pensieve.replication.grpc.GatedGrpc;
import io.pensieve.replication.grpc.PeerConnections;
import io.pensieve.replication.grpc.ReadIndexAnswers;
import io.pensieve.replication.ratis.OwnRequests.ProposedEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.jspecify.annotations.Nullable;

/** A member of a cluster by Apache Ratis. Nothing outside of this package sees a type of Ratis. */
public final class RatisConsensus implements Consensus {
  private static final Duration HANDOVER_PATIENCE = Duration.ofSeconds(2);

  private final EngineSettings settings;
  private final RaftGroupId group;
  private final OwnRequests requests;
  private final SnapshotFolder snapshots;
  private final ExecutorService roles;

  private final ReadBarriers barriers;

  private final Object lifecycle = new Object(); // guards the start and the end

  private boolean isClosed;
  private volatile @Nullable Running running;

  /** What there is of a member between its start and its end. */
  private record Running(
      RaftServer server,
      RaftServer.Division division,
      AppliedLog log,
      EngineThreads threads,
      EngineEvents events,
      DiskGuard guard) {}

  private RatisConsensus(EngineSettings settings) {
    this.settings = settings;
    this.group = RaftGroupId.valueOf(settings.cluster);
    this.requests = new OwnRequests(RaftPeerId.valueOf(settings.self), group);
    this.snapshots = new SnapshotFolder(temporaryFolder());
    this.roles = oneThread("pensieve-raft-roles");
    this.barriers =
        new ReadBarriers(
            () -> submit(RaftClientRequest.readRequestType(), Message.EMPTY),
            this::propose,
            this::leadingTerm,
            new LeaderLease(EngineProperties.LEASE_MILLIS, System::nanoTime),
            oneThread("pensieve-raft-barriers"));
  }

  private static ExecutorService oneThread(String name) {
    ThreadPoolExecutor executor =
        new ThreadPoolExecutor(
            1, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> new Thread(task, name));
    executor.allowCoreThreadTimeOut(true);
    return executor;
  }

  /**
   * A member whose data lies in a folder.
   *
   * @param folder its own folder; made if it is not there
   * @param cluster the id of the cluster
   * @param self this member's id
   */
  public static Builder at(Path folder, UUID cluster, String self) {
    return new Builder(folder, cluster, self);
  }

  @Override
  public void start(StateMachine machine) throws IOException {
    synchronized (lifecycle) {
      if (isClosed || running != null) {
        throw new IllegalStateException("started before");
      }
      Files.createDirectories(raftFolder());
      EngineEvents events = new EngineEvents(settings.events, machine);
      DiskGuard guard = new DiskGuard(settings.free, settings.reserveBytes, this::leave);
      if (guard.isBelowReserve()) {
        guard.close();
        throw new IOException(belowReserve());
      }
      StartFailure.requirePort(settings.host, settings.port);
      EngineProcess.prepare();
      RetainedLog retained = new RetainedLog(settings.retainedBytes);
      startServer(new AppliedLog(machine, snapshots, retained, roles, events), events, guard);
      guard.start();
    }
  }

  private void startServer(AppliedLog log, EngineEvents events, DiskGuard guard)
      throws IOException {
    EngineThreads threads = new EngineThreads(settings.self, events);
    AtomicReference<@Nullable RaftServer> built = new AtomicReference<>();
    try {
      boolean isNew = !Files.exists(groupFolder());
      if (!isNew) {
        EngineProcess.outlastLeases();
      } else if (Files.exists(startedBefore())) {
        throw new NoSuchFileException(groupFolder().toString());
      }
      threads.call(
          () -> {
            ReadIndexAnswers answers =
                new ReadIndexAnswers(group, () -> barriers.index(log::readIndex));
            RaftServer server =
                ServerAssembly.build(settings, raftFolder(), log, answers, events, threads, isNew);
            built.set(server);
            RaftServer.Division division = server.getDivision(group);
            log.attach(division);
            running = new Running(server, division, log, threads, events, guard);
            server.start();
          });
      if (!Files.exists(startedBefore())) {
        Files.createFile(startedBefore());
      }
    } catch (Exception | Error failed) {
      running = null;
      events.closing();
      guard.close();
      RaftServer server = built.get();
      if (server != null) {
        new ServerClosing(server, threads).run(settings.closeMillis);
      }
      threads.interrupt();
      if (failed instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      throw StartFailure.explain(groupFolder(), settings.self, failed);
    }
  }

  private Path groupFolder() {
    return raftFolder().resolve(settings.cluster.toString());
  }

  private Path raftFolder() {
    return settings.folder.resolve("raft");
  }

  /** Without it, a member that lost its log could not be told from a new one. */
  private Path startedBefore() {
    return raftFolder().resolve(settings.cluster + ".started");
  }

  @Override
  public CompletableFuture<Void> propose(long term, byte[] entry) {
    if (entry.length > settings.entryBytesMax) {
      return CompletableFuture.failedFuture(
          new IOException(
              "an entry has at most " + settings.entryBytesMax + " bytes, not " + entry.length));
    }
    long before = System.nanoTime();
    return submit(RaftClientRequest.writeRequestType(), ProposedEntry.of(term, entry))
        .thenRun(() -> barriers.committed(term, before));
  }

  @Override
  public CompletableFuture<Void> readBarrier() {
    return barriers.begin();
  }

  @Override
  public boolean holdsLease() {
    return barriers.holdsLease();
  }

  private long leadingTerm() {
    Running now = running;
    return now == null ? MemberStatus.NOT_LEADING : MemberStatus.leadingTerm(now.division);
  }

  private CompletableFuture<Void> submit(RaftClientRequest.Type type, Message message) {
    return withServer(server -> requests.submit(server, type, message));
  }

  private CompletableFuture<Void> withServer(
      Function<RaftServer, CompletableFuture<Void>> request) {
    Running now = running;
    return now == null
        ? CompletableFuture.failedFuture(MemberStatus.notRunning())
        : request.apply(now.server);
  }

  @Override
  public ConsensusStatus status() {
    Running now = running;
    return now == null ? MemberStatus.outside() : MemberStatus.of(now.division);
  }

  @Override
  public ForceLatency forceLatency() {
    Running now = running;
    return now == null ? ForceLatency.NONE : MemberStatus.forceLatency(now.division);
  }

  @Override
  public CompletableFuture<Void> transferLeadership(Optional<String> to, Duration patience) {
    return withServer(server -> transferLeadership(server, to, patience));
  }

  private CompletableFuture<Void> transferLeadership(
      RaftServer server, Optional<String> to, Duration patience) {
    Optional<String> target = to.or(() -> MemberStatus.mostUpToDate(status(), settings));
    if (target.isEmpty()) {
      return CompletableFuture.failedFuture(
          new IOException("this member does not lead, or no other one answers"));
    }
    long term = barriers.barLease();
    return requests
        .transferLeadership(server, RaftPeerId.valueOf(target.get()), patience)
        .whenComplete(
            (done, failed) -> {
              if (failed != null && wasRefused(failed)) {
                barriers.unbarLease(term);
              } else if (failed != null) {
                // The other one may stand for election later than it should, and win it while this
                // member believes in its lease. So it leads no more, or for a new term.
                var unused = requests.transferLeadership(server, null, patience);
              }
            });
  }

  /** Ratis has not told the other one anything then. */
  private static boolean wasRefused(Throwable failed) {
    return String.valueOf(failed.getMessage()).contains(" refused ");
  }

  @Override
  public CompletableFuture<Void> setMembers(List<Member> members) {
    return withServer(
        server -> {
          // Whom a barrier has asked before may be no majority of the new members.
          long term = barriers.barLease();
          PeerConnections.keepOnly(server, currentMembers());
          return requests.setMembers(server, members).thenRun(() -> barriers.unbarLease(term));
        });
  }

  private Collection<RaftPeer> currentMembers() {
    Running now = running;
    return now == null ? List.of() : now.division.getRaftConf().getAllPeers();
  }

  @Override
  public void saveSnapshot(LogPosition position, Path file) throws IOException {
    Running now = running;
    if (now == null) {
      throw MemberStatus.notRunning();
    }
    snapshots.add(position, file);
    // If Ratis cannot forget the entries before it now, it does so at the next snapshot.
    var unused = requests.takeSnapshot(now.server);
  }

  /** The first entry that the log still has; -1 if this member is not running. */
  long firstIndex() {
    Running now = running;
    return now == null ? -1 : now.division.getRaftLog().getStartIndex();
  }

  @Override
  public Path temporaryFolder() {
    return settings.folder.resolve("temporary");
  }

  /**
   * Below the reserve: hands over, stops, and then says so. A handover begins a new term, which
   * must not be written to a full disk: see {@link GatedGrpc#silenceIf}.
   */
  private void leave() {
    Running now = running;
    if (now == null) {
      return;
    }
    now.events.event(belowReserve());
    if (!now.guard.isFull()) {
      handOver();
    }
    now.events.failed(new IOException(belowReserve()));
    stop(now);
  }

  private void handOver() {
    try {
      transferLeadership(Optional.empty(), HANDOVER_PATIENCE)
          .get(HANDOVER_PATIENCE.toSeconds() + 1, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException nobodyTookOver) {
      // The others elect a leader when this one is gone.
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  private String belowReserve() {
    return "less than "
        + settings.reserveBytes / (1 << 20)
        + " MiB are free on the disk of "
        + settings.folder
        + ": this member stops before the disk is full";
  }

  @Override
  public void close() {
    synchronized (lifecycle) {
      isClosed = true;
      Running now = running;
      if (now != null) {
        now.events.closing();
        stop(now);
      }
      roles.shutdown();
      barriers.close();
    }
  }

  private void stop(Running now) {
    synchronized (lifecycle) {
      if (running == null) {
        return;
      }
      running = null;
      ServerClosing closing = new ServerClosing(now.server, now.threads);
      try {
        closing.run(settings.closeMillis);
      } finally {
        if (closing.hasEnded()) {
          now.log.deliverNow();
        } else { // a thread of it may be in the machine, for ever
          now.events.event("the consensus engine does not stop in time, and is abandoned");
        }
        EngineProcess.memberStopped();
        now.guard.close();
      }
    }
  }

  /** The settings of a member. */
  public static final class Builder {
    private final EngineSettings settings;

    private Builder(Path folder, UUID cluster, String self) {
      settings = new EngineSettings(folder, cluster, self);
    }

    /**
     * The members of a new cluster, this one included. Of use in an empty folder only: afterwards
     * the cluster's own list counts. None (default): this member waits to be added.
     */
    public Builder members(List<Member> members) {
      settings.members = List.copyOf(members);
      return this;
    }

    /** Where peers reach this member. An empty host: every address of the machine. */
    public Builder bind(String host, int port) {
      settings.host = host;
      settings.port = port;
      return this;
    }

    /** The largest entry. Default: 18 MiB. A member holds a buffer of that size. */
    public Builder entryBytesMax(int bytes) {
      if (bytes < 1 || bytes > 64 << 20) {
        throw new IllegalArgumentException("from 1 byte to 64 MiB: " + bytes);
      }
      settings.entryBytesMax = bytes;
      return this;
    }

    /** Mutual TLS between the members. Default: none, everything is sent in the clear. */
    public Builder tls(PeerTls tls) {
      settings.tls = tls;
      return this;
    }

    /** Called with each event that an operator wants to know. Must not block. Default: nothing. */
    public Builder onEvent(Consumer<String> listener) {
      settings.events = listener;
      return this;
    }

    /**
     * This member hands over the lead, stops and fails once less is free on its disk. Default: 128
     * MiB. It does not start either then.
     */
    public Builder reserveBytes(long bytes) {
      if (bytes < 0) {
        throw new IllegalArgumentException("negative: " + bytes);
      }
      settings.reserveBytes = bytes;
      return this;
    }

    /**
     * How much log there may be before a snapshot is saved. A quarter of it is kept beyond the
     * snapshot, for members that were away for a while. The log is forgotten by whole segments of
     * an eighth. Default: 256 MiB.
     */
    public Builder logBytes(long bytes) {
      if (bytes < 1 << 20) {
        throw new IllegalArgumentException("at least 1 MiB: " + bytes);
      }
      settings.retainedBytes = bytes / 4;
      settings.segmentBytes = (int) Math.min(EngineSettings.SEGMENT_BYTES_MAX, bytes / 8);
      return this;
    }

    String self() {
      return settings.self;
    }

    Builder electionMillis(int millis) {
      settings.electionMillis = millis;
      return this;
    }

    /** The log is forgotten by whole segments. */
    Builder segmentBytes(int bytes) {
      settings.segmentBytes = bytes;
      return this;
    }

    /** So much of the log is kept beyond a snapshot, for members that were away for a while. */
    Builder retainedBytes(long bytes) {
      settings.retainedBytes = bytes;
      return this;
    }

    Builder closeMillis(long millis) {
      settings.closeMillis = millis;
      return this;
    }

    Builder freeSpace(DiskGuard.FreeSpace free) {
      settings.free = free;
      return this;
    }

    /** A member that is not started yet. */
    public RatisConsensus build() {
      return new RatisConsensus(settings);
    }
  }
}
