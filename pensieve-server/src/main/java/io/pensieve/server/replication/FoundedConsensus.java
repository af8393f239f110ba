package io.pensieve.server.replication;

import io.pensieve.replication.consensus.Consensus;
import io.pensieve.replication.consensus.ConsensusStatus;
import io.pensieve.replication.consensus.ForceLatency;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.consensus.StateMachine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An engine that starts when its node knows its cluster. Until then the node is in none: it neither
 * votes nor answers reads.
 */
final class FoundedConsensus implements Consensus {
  private final Path temporaryFolder;

  // Guarded by this, but for reads of the engine.
  private @Nullable StateMachine machine;
  private @Nullable Supplier<Consensus> founded;
  private volatile @Nullable Consensus engine;
  private boolean isClosed;

  /**
   * Creates an engine that is not started.
   *
   * @param temporaryFolder that of the engine
   */
  FoundedConsensus(Path temporaryFolder) {
    this.temporaryFolder = temporaryFolder;
  }

  @Override
  public synchronized void start(StateMachine toBeFed) throws IOException {
    machine = toBeFed;
    startIfFounded();
  }

  /** The node belongs to a cluster: makes its engine, and starts it, now or when this starts. */
  synchronized void found(Supplier<Consensus> makes) throws IOException {
    founded = makes;
    startIfFounded();
  }

  private void startIfFounded() throws IOException {
    Supplier<Consensus> makes = founded;
    StateMachine toBeFed = machine;
    if (makes != null && toBeFed != null && engine == null && !isClosed) {
      Consensus started = makes.get();
      engine = started;
      started.start(toBeFed);
    }
  }

  private CompletableFuture<Void> withEngine(Function<Consensus, CompletableFuture<Void>> request) {
    Consensus now = engine;
    return now == null
        ? CompletableFuture.failedFuture(new IOException("this node is in no cluster yet"))
        : request.apply(now);
  }

  @Override
  public CompletableFuture<Void> propose(long term, byte[] entry) {
    return withEngine(now -> now.propose(term, entry));
  }

  @Override
  public CompletableFuture<Void> readBarrier() {
    return withEngine(Consensus::readBarrier);
  }

  @Override
  public boolean holdsLease() {
    Consensus now = engine;
    return now != null && now.holdsLease();
  }

  @Override
  public ConsensusStatus status() {
    Consensus now = engine;
    try {
      return now == null ? outside() : now.status();
    } catch (IllegalStateException stillStarting) {
      return outside(); // its parts are not all there yet
    }
  }

  @Override
  public ForceLatency forceLatency() {
    Consensus now = engine;
    try {
      return now == null ? ForceLatency.NONE : now.forceLatency();
    } catch (IllegalStateException stillStarting) {
      return ForceLatency.NONE;
    }
  }

  private static ConsensusStatus outside() {
    return new ConsensusStatus(ConsensusStatus.Role.OUTSIDE, 0, Optional.empty(), 0, 0, List.of());
  }

  @Override
  public CompletableFuture<Void> transferLeadership(Optional<String> to, Duration patience) {
    return withEngine(now -> now.transferLeadership(to, patience));
  }

  @Override
  public CompletableFuture<Void> setMembers(List<Member> members) {
    return withEngine(now -> now.setMembers(members));
  }

  @Override
  public void saveSnapshot(LogPosition position, Path file) throws IOException {
    Consensus now = engine;
    if (now == null) {
      throw new IOException("this node is in no cluster yet");
    }
    now.saveSnapshot(position, file);
  }

  @Override
  public Path temporaryFolder() {
    return temporaryFolder;
  }

  @Override
  public synchronized void close() {
    isClosed = true;
    Consensus now = engine;
    if (now != null) {
      now.close();
    }
  }
}
