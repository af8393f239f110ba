package io.pensieve.replication;

import static java.util.Objects.requireNonNull;

import io.pensieve.Pensieve;
import io.pensieve.log.Codec;
import io.pensieve.replication.consensus.Consensus;
import io.pensieve.replication.consensus.ConsensusStatus;
import io.pensieve.replication.consensus.LogPosition;
import io.pensieve.replication.consensus.Member;
import io.pensieve.replication.consensus.StateMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A member of a simulated cluster: the engine under a {@link RaftLog}, with no thread. The
 * simulation decides when each step happens.
 */
final class SimulatedMember implements Consensus, Workers {
  private static final AtomicLong FILES = new AtomicLong();

  private record Barrier(int index, CompletableFuture<Void> passed) {}

  /** A snapshot that survives a crash. */
  record Saved(LogPosition position, Path file) {}

  final int id;
  final RaftLog<String, String> log;
  final Pensieve<String, String> map;
  int applied; // the index in the log
  long believedTerm; // in which it leads, as far as it knows; 0 if it does not
  private final SimulatedLog cluster;
  private final Path folder;
  private final List<SimulatedLog.Entry> proposals = new ArrayList<>();
  private final List<CompletableFuture<Void>> outcomes = new ArrayList<>(); // that are open
  private final List<Barrier> barriers = new ArrayList<>();
  private @Nullable StateMachine machine;
  private @Nullable Packer<?, ?> packer;
  @Nullable Saved saved;

  SimulatedMember(
      int id,
      SimulatedLog cluster,
      Path folder,
      @Nullable Saved saved,
      int mapEntries,
      InstantSource clock,
      LongSupplier nanoTime) {
    this.id = id;
    this.cluster = cluster;
    this.folder = folder;
    this.saved = saved;
    RaftLog.Builder<String, String> settings =
        RaftLog.<String, String>on(this, Codec.utf8(), Codec.utf8())
            .entriesUnderWay(3)
            .changesPerEntry(2)
            .mapEntries(mapEntries)
            .time(clock, nanoTime)
            .onFailure(
                cause -> {
                  throw new AssertionError("member " + id + " has failed", cause);
                });
    log = new RaftLog<>(settings, this);
    map = Pensieve.<String, String>builder().maximumEntries(mapEntries).log(log).open();
  }

  // ---- What the simulation does

  boolean leads() {
    return believedTerm > 0 && log.isLeading();
  }

  /** The packer has time. */
  void pack() {
    boolean unused = requireNonNull(packer).proposeNext();
  }

  int proposals() {
    return proposals.size();
  }

  /** The engine takes a proposal from its queue, usually the first one. */
  void takeProposal(int which, boolean fenced, boolean twice) {
    SimulatedLog.Entry proposal = proposals.remove(which);
    boolean isOfThisTerm = cluster.leader == id && proposal.term() == cluster.term;
    if (isOfThisTerm || (!fenced && cluster.leader == id)) {
      cluster.append(requireNonNull(proposal.content()), proposal.outcome());
      if (twice) {
        cluster.append(requireNonNull(proposal.content()), new CompletableFuture<>());
      }
    } else if (cluster.leader == id) {
      proposal.outcome().completeExceptionally(new IOException("of another term"));
    } // else a majority will never have it, and the outcome comes with `follow`
  }

  /** A proposal fails. Whether it gets into the log nevertheless is not known here. */
  void failProposal(int which, boolean appended) {
    SimulatedLog.Entry proposal = proposals.remove(which);
    if (appended && cluster.leader == id && proposal.term() == cluster.term) {
      cluster.append(requireNonNull(proposal.content()), new CompletableFuture<>());
    }
    proposal.outcome().completeExceptionally(new IOException("lost"));
  }

  boolean hasMore() {
    return applied < cluster.committed.size();
  }

  /** Applies the next committed entry. */
  void applyNext() {
    SimulatedLog.Entry entry = cluster.committed.get(applied);
    if (believedTerm > 0 && entry.term() > believedTerm) {
      follow();
    }
    applied++;
    byte[] content = entry.content();
    if (content != null) {
      machine().apply(new LogPosition(entry.term(), applied), content);
    } else if (cluster.leader == id && entry.term() == cluster.term && believedTerm == 0) {
      lead();
    }
    if (cluster.leader == id) {
      entry.outcome().complete(null);
    }
  }

  /** The engine says that this node leads; it may say so before it has applied everything. */
  void lead() {
    believedTerm = cluster.term;
    machine().lead(believedTerm);
  }

  /** The engine learns that this node does not lead any more. */
  void follow() {
    believedTerm = 0;
    machine().follow();
    proposals.clear();
    outcomes.forEach(outcome -> outcome.completeExceptionally(new IOException("leads no more")));
    outcomes.clear();
  }

  private StateMachine machine() {
    return requireNonNull(machine);
  }

  /** The snapshots of this member's log. */
  Snapshots<String, String> snapshots() {
    return requireNonNull(log.snapshots());
  }

  /** The leader sends its snapshot. */
  void install(Saved snapshot) throws IOException {
    if (believedTerm > 0) {
      follow();
    }
    Path copy = folder.resolve("installed-" + FILES.incrementAndGet());
    Files.copy(snapshot.file(), copy);
    saved = new Saved(snapshot.position(), copy);
    applied = (int) snapshot.position().index();
    machine().restore(snapshot.position(), copy);
  }

  // ---- The engine

  @Override
  public void start(StateMachine newMachine) {
    machine = newMachine;
    Saved snapshot = saved;
    if (snapshot != null) {
      applied = (int) snapshot.position().index();
      newMachine.restore(snapshot.position(), snapshot.file());
    }
  }

  @Override
  public CompletableFuture<Void> propose(long term, byte[] entry) {
    CompletableFuture<Void> outcome = new CompletableFuture<>();
    proposals.add(new SimulatedLog.Entry(term, entry, outcome));
    outcomes.removeIf(CompletableFuture::isDone);
    outcomes.add(outcome);
    return outcome;
  }

  @Override
  public CompletableFuture<Void> readBarrier() {
    CompletableFuture<Void> passed = new CompletableFuture<>();
    barriers.add(new Barrier(cluster.committed.size(), passed));
    return passed;
  }

  /** Lets barriers pass that can. A leader that was ousted learns that, sooner or later. */
  void passBarriers() {
    boolean isOusted = believedTerm > 0 && believedTerm < cluster.term;
    List<Barrier> passing =
        barriers.stream().filter(barrier -> !isOusted && applied >= barrier.index()).toList();
    barriers.removeAll(passing);
    passing.forEach(barrier -> barrier.passed().complete(null));
  }

  @Override
  public ConsensusStatus status() {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<Void> transferLeadership(Optional<String> to, Duration patience) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<Void> setMembers(List<Member> members) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void saveSnapshot(LogPosition position, Path file) throws IOException {
    Path kept = folder.resolve("saved-" + FILES.incrementAndGet());
    Files.move(file, kept);
    saved = new Saved(position, kept);
  }

  @Override
  public Path temporaryFolder() {
    return folder;
  }

  @Override
  public void close() {}

  // ---- The threads that there are not

  @Override
  public void begin(Packer<?, ?> newPacker, Runnable tick) {
    packer = newPacker;
  }

  @Override
  public void complete(Collection<? extends Runnable> completions) {
    completions.forEach(Runnable::run);
  }

  @Override
  public void executeLong(Runnable task) {
    throw new UnsupportedOperationException("the simulation saves snapshots");
  }

  @Override
  public void endSoon() {}

  @Override
  public void end() {}
}
