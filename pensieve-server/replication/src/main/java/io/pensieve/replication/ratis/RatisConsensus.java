package io.pensieve.replication.ratis;

import io.pensieve.replication.consensus.Consensus;
import io.pensieve.replication.consensus.ConsensusStatus;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.consensus.StateMachine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.SnapshotManagementRequest;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.jspecify.annotations.Nullable;

/** A member of a cluster by Apache Ratis. Nothing outside of this package sees a type of Ratis. */
public final class RatisConsensus implements Consensus {
  private static final Duration REQUEST_PATIENCE = Duration.ofSeconds(30);

  private final Builder settings;
  private final RaftGroupId group;
  private final RaftPeerId self;
  private final ClientId client = ClientId.randomId();
  private final AtomicLong calls = new AtomicLong();
  private final SnapshotFolder snapshots = new SnapshotFolder();
  private final ExecutorService roles;

  /** Guards the start and the end. */
  private final Object lifecycle = new Object();

  private boolean isClosed;
  private volatile @Nullable Running running;

  /** What there is of a member between its start and its end. */
  private record Running(RaftServer server, RaftServer.Division division, AppliedLog log) {}

  private RatisConsensus(Builder settings) {
    this.settings = settings;
    this.group = RaftGroupId.valueOf(settings.cluster);
    this.self = RaftPeerId.valueOf(settings.self);
    ThreadPoolExecutor executor =
        new ThreadPoolExecutor(
            1,
            1,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> new Thread(task, "pensieve-raft-roles"));
    executor.allowCoreThreadTimeOut(true);
    this.roles = executor;
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
      emptyTemporaryFolder();
      EngineProcess.prepare();
      AppliedLog log = new AppliedLog(machine, snapshots, roles);
      RaftServer server = build(log);
      try {
        RaftServer.Division division = server.getDivision(group);
        log.attach(division);
        running = new Running(server, division, log);
        server.start();
      } catch (IOException | RuntimeException | Error failed) {
        running = null;
        server.close();
        roles.shutdownNow();
        throw failed;
      }
    }
  }

  private RaftServer build(AppliedLog log) throws IOException {
    boolean isNew = !Files.exists(raftFolder().resolve(settings.cluster.toString()));
    return RaftServer.newBuilder()
        .setServerId(self)
        .setGroup(RaftGroup.valueOf(group, Peers.of(settings.members)))
        // FORMAT, the default, would empty the folder.
        .setOption(RaftStorage.StartupOption.RECOVER)
        .setProperties(
            EngineProperties.of(
                raftFolder(), settings.host, settings.port, settings.entryBytesMax, isNew))
        .setParameters(new Parameters())
        .setStateMachine(log)
        .build();
  }

  private Path raftFolder() {
    return settings.folder.resolve("raft");
  }

  private void emptyTemporaryFolder() throws IOException {
    Path folder = temporaryFolder();
    Files.createDirectories(folder);
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
  }

  @Override
  public CompletableFuture<Void> propose(long term, byte[] entry) {
    if (entry.length > settings.entryBytesMax) {
      return CompletableFuture.failedFuture(
          new IOException(
              "an entry has at most " + settings.entryBytesMax + " bytes, not " + entry.length));
    }
    return submit(RaftClientRequest.writeRequestType(), ProposedEntry.of(term, entry));
  }

  @Override
  public CompletableFuture<Void> readBarrier() {
    return submit(RaftClientRequest.readRequestType(), Message.EMPTY);
  }

  private CompletableFuture<Void> submit(RaftClientRequest.Type type, Message message) {
    Running now = running;
    if (now == null) {
      return CompletableFuture.failedFuture(notRunning());
    }
    RaftClientRequest request =
        RaftClientRequest.newBuilder()
            .setClientId(client)
            .setServerId(self)
            .setGroupId(group)
            .setCallId(calls.incrementAndGet())
            .setType(type)
            .setMessage(message)
            .build();
    return outcome(() -> now.server.submitClientRequestAsync(request));
  }

  private interface Request {
    CompletableFuture<RaftClientReply> send() throws IOException;
  }

  private static CompletableFuture<Void> outcome(Request request) {
    try {
      return request.send().thenCompose(RatisConsensus::toOutcome);
    } catch (IOException | RuntimeException failed) {
      return CompletableFuture.failedFuture(failed);
    }
  }

  private static CompletableFuture<Void> toOutcome(RaftClientReply reply) {
    return reply.isSuccess()
        ? CompletableFuture.completedFuture(null)
        : CompletableFuture.failedFuture(reply.getException());
  }

  private static IOException notRunning() {
    return new IOException("this member is not running");
  }

  @Override
  public ConsensusStatus status() {
    Running now = running;
    return now == null ? MemberStatus.outside() : MemberStatus.of(now.division);
  }

  @Override
  public CompletableFuture<Void> transferLeadership(Optional<String> to, Duration patience) {
    Running now = running;
    if (now == null) {
      return CompletableFuture.failedFuture(notRunning());
    }
    RaftPeerId target = to.map(RaftPeerId::valueOf).orElse(null);
    TransferLeadershipRequest request =
        new TransferLeadershipRequest(
            client, self, group, calls.incrementAndGet(), target, patience.toMillis());
    return outcome(() -> now.server.transferLeadershipAsync(request));
  }

  @Override
  public CompletableFuture<Void> setMembers(List<Member> members) {
    Running now = running;
    if (now == null) {
      return CompletableFuture.failedFuture(notRunning());
    }
    SetConfigurationRequest request =
        new SetConfigurationRequest(
            client,
            self,
            group,
            calls.incrementAndGet(),
            SetConfigurationRequest.Arguments.newBuilder()
                .setServersInNewConf(Peers.of(members))
                .build());
    return outcome(() -> now.server.setConfigurationAsync(request));
  }

  @Override
  public void saveSnapshot(LogPosition position, Path file) throws IOException {
    Running now = running;
    if (now == null) {
      throw notRunning();
    }
    snapshots.add(position, file);
    SnapshotManagementRequest request =
        SnapshotManagementRequest.newCreate(
            client, self, group, calls.incrementAndGet(), REQUEST_PATIENCE.toMillis(), 1);
    // If Ratis cannot forget the entries before it now, it does so at the next snapshot.
    CompletableFuture<Void> unused = outcome(() -> now.server.snapshotManagementAsync(request));
  }

  @Override
  public Path temporaryFolder() {
    return settings.folder.resolve("temporary");
  }

  @Override
  public void close() {
    synchronized (lifecycle) {
      if (isClosed) {
        return;
      }
      isClosed = true;
      Running ending = running;
      running = null;
      if (ending != null) {
        try {
          ending.server.close();
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
        ending.log.deliverNow();
      }
      roles.shutdown();
    }
  }

  /** The settings of a member. */
  public static final class Builder {
    private final Path folder;
    private final UUID cluster;
    private final String self;
    private List<Member> members = List.of();
    private String host = "";
    private int port;
    private int entryBytesMax = 8 << 20;

    private Builder(Path folder, UUID cluster, String self) {
      this.folder = folder;
      this.cluster = cluster;
      this.self = self;
    }

    /**
     * The members of a new cluster, this one included. Of use in an empty folder only: afterwards
     * the cluster's own list counts. None (default): this member waits to be added.
     */
    public Builder members(List<Member> members) {
      this.members = List.copyOf(members);
      return this;
    }

    /** Where peers reach this member. An empty host: every address of the machine. */
    public Builder bind(String host, int port) {
      this.host = host;
      this.port = port;
      return this;
    }

    /** The largest entry. Default: 8 MiB. Each member holds a few buffers of that size. */
    public Builder entryBytesMax(int bytes) {
      if (bytes < 1 || bytes > 64 << 20) {
        throw new IllegalArgumentException("from 1 byte to 64 MiB: " + bytes);
      }
      this.entryBytesMax = bytes;
      return this;
    }

    /** A member that is not started yet. */
    public RatisConsensus build() {
      return new RatisConsensus(this);
    }
  }
}
