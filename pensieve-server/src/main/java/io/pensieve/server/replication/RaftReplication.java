package io.pensieve.server.replication;

import io.pensieve.replication.RaftLog;
import io.pensieve.replication.RaftStatus;
import io.pensieve.replication.RequestOutcome;
import io.pensieve.replication.consensus.Consensus;
import io.pensieve.replication.consensus.ConsensusStatus.MemberProgress;
import io.pensieve.replication.consensus.ConsensusStatus.Role;
import io.pensieve.replication.consensus.ForceLatency;
import io.pensieve.replication.consensus.Member;
import io.pensieve.server.http.replication.NodeCard;
import io.pensieve.server.http.replication.PastRequest;
import io.pensieve.server.http.replication.Replication;
import io.pensieve.server.http.replication.ReplicationState;
import io.pensieve.server.http.value.StoredValue;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Shows a {@link RaftLog} to the routes. */
final class RaftReplication implements Replication, AutoCloseable {
  private static final Duration TRANSFER_PATIENCE = Duration.ofSeconds(10);
  // Asking the engine takes longer than a request may.
  private static final long LEADER_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(20);

  private final ClusterMembership membership;
  private final RaftLog<String, StoredValue> log;
  private final CardReader cards;
  private final Consensus consensus;
  // One change of the members at a time; idle, it has no thread.
  private final ExecutorService administration =
      new ThreadPoolExecutor(
          0,
          1,
          1,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(),
          task -> {
            Thread thread = new Thread(task, "pensieve-members");
            thread.setDaemon(true);
            return thread;
          });

  private record KnownLeader(Optional<URI> url, long atNanos) {}

  private volatile KnownLeader leader =
      new KnownLeader(Optional.empty(), System.nanoTime() - LEADER_NANOS_MAX);

  RaftReplication(
      ClusterMembership membership,
      RaftLog<String, StoredValue> log,
      CardReader cards,
      Consensus consensus) {
    this.consensus = consensus;
    this.membership = membership;
    this.log = log;
    this.cards = cards;
  }

  @Override
  public boolean isLeading() {
    return log.isLeading();
  }

  @Override
  public boolean isReadable() {
    return membership.isFounded() && log.isReadable();
  }

  @Override
  public Optional<URI> leaderUrl() {
    KnownLeader known = leader;
    if (System.nanoTime() - known.atNanos() >= LEADER_NANOS_MAX) {
      known = new KnownLeader(log.status().leader().map(Member::url), System.nanoTime());
      leader = known;
    }
    return known.url();
  }

  @Override
  public CompletableFuture<Void> readBarrier() {
    return log.readBarrier();
  }

  @Override
  public Optional<Duration> staleness() {
    return log.isLeading() ? Optional.of(Duration.ZERO) : log.staleness();
  }

  @Override
  public ReplicationState state() {
    RaftStatus status = log.status();
    return new ReplicationState(
        membership.card().id(),
        status.role().name().toLowerCase(Locale.ROOT),
        waitsFor(status),
        status.term(),
        status.leader().map(Member::id),
        status.committed(),
        status.applied(),
        status.members().stream().map(member -> shown(member, status)).toList(),
        status.waitingChanges(),
        status.waitingBytes(),
        status.leaderChanges(),
        status.snapshot().map(RaftStatus.SavedSnapshot::age),
        status.snapshot().map(RaftStatus.SavedSnapshot::bytes).orElse(0L));
  }

  private Optional<String> waitsFor(RaftStatus status) {
    if (status.members().isEmpty()) {
      return Optional.of(membership.waitsFor().orElse("this node is in no cluster"));
    }
    if (status.leader().isEmpty() || status.role() == Role.CANDIDATE) {
      return Optional.of("this node knows no leader");
    }
    return status.restoring()
        ? Optional.of("this node still catches up with its cluster")
        : Optional.empty();
  }

  private static ReplicationState.Member shown(MemberProgress progress, RaftStatus status) {
    return new ReplicationState.Member(
        progress.member().id(),
        progress.member().url(),
        progress.matched() < 0 ? -1 : Math.max(0, status.committed() - progress.matched()),
        progress.silentMillis());
  }

  @Override
  public Forces forces() {
    ForceLatency latency = consensus.forceLatency();
    return new Forces(
        latency.forces(),
        Duration.ofNanos(latency.medianNanos()),
        Duration.ofNanos(latency.percentile99Nanos()));
  }

  @Override
  public <T> Optional<T> executeOnce(String requestId, Supplier<T> write) {
    return log.execute(requestId, write);
  }

  @Override
  public Optional<PastRequest> pastRequest(String requestId) {
    return log.outcome(requestId).map(RaftReplication::shown);
  }

  private static PastRequest shown(RequestOutcome<StoredValue> outcome) {
    RequestOutcome.ChangeOutcome<StoredValue> last =
        outcome.changes().get(outcome.changes().size() - 1);
    return new PastRequest(last.version(), last.added(), Optional.ofNullable(last.value()));
  }

  @Override
  public CompletableFuture<Void> whenDurable(long version) {
    return log.whenDurable(version);
  }

  @Override
  public NodeCard card() {
    return membership.card();
  }

  @Override
  public CompletableFuture<Void> transferLeadership(Optional<String> memberId) {
    return log.transferLeadership(memberId, TRANSFER_PATIENCE);
  }

  @Override
  public CompletableFuture<Void> addMember(URI url) {
    return inTurn(() -> add(url));
  }

  @Override
  public CompletableFuture<Void> removeMember(String memberId) {
    return inTurn(() -> log.removeMember(memberId).join());
  }

  /**
   * In two steps, since the new node may have the id of the old one: as long as a member has that
   * id, the others would take the new node for it.
   */
  @Override
  public CompletableFuture<Void> replaceMember(String memberId, URI url) {
    return inTurn(
        () -> {
          if (memberIds().contains(memberId)) {
            log.removeMember(memberId).join();
          } else if (!memberId.equals(cards.read(url).id())) {
            throw new IllegalArgumentException("no member has the id " + memberId);
          }
          add(url);
        });
  }

  private interface Change {
    void make() throws IOException, InterruptedException;
  }

  private CompletableFuture<Void> inTurn(Change change) {
    return CompletableFuture.runAsync(
        () -> {
          try {
            change.make();
          } catch (IOException failed) {
            throw new CompletionException(failed);
          } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            throw new CompletionException(stopping);
          }
        },
        administration);
  }

  private void add(URI url) throws IOException, InterruptedException {
    NodeCard card = cards.read(url);
    if (memberIds().contains(card.id())) {
      throw new IllegalArgumentException("a member has the id " + card.id() + " already");
    }
    membership.admit(card);
    log.addMember(ClusterMembership.member(card)).join();
  }

  private List<String> memberIds() {
    return log.status().members().stream().map(progress -> progress.member().id()).toList();
  }

  @Override
  public void close() {
    administration.shutdownNow();
  }
}
