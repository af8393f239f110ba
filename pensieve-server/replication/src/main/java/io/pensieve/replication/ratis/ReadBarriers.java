package io.pensieve.replication.ratis;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** The barriers of a member, and the lease that they win while it leads. */
final class ReadBarriers {
  private static final byte[] NOTHING = {};

  private final Supplier<CompletableFuture<Void>> engine;
  private final Proposal proposal;
  private final LongSupplier leadingTerm;

  /**
   * Asks the engine. The engine completes a barrier on the thread that applies entries, and waits
   * where it is asked. So whoever asks again at a completion would wait for himself.
   */
  private final ExecutorService thread;

  private final LeaderLease lease;
  private final AtomicBoolean isBeingRenewed = new AtomicBoolean();

  /**
   * Barriers that ask nobody yet.
   *
   * @param engine asks the leader, if this member follows
   * @param proposal proposes an entry, if it leads
   * @param leadingTerm the term in which this member leads, or {@link MemberStatus#NOT_LEADING}
   */
  ReadBarriers(
      Supplier<CompletableFuture<Void>> engine,
      Proposal proposal,
      LongSupplier leadingTerm,
      LeaderLease lease,
      ExecutorService thread) {
    this.engine = engine;
    this.proposal = proposal;
    this.leadingTerm = leadingTerm;
    this.lease = lease;
    this.thread = thread;
  }

  /** Proposes an entry in a term. */
  interface Proposal {
    CompletableFuture<Void> propose(long term, byte[] entry);
  }

  CompletableFuture<Void> begin() {
    return onThread(
        () -> {
          long term = leadingTerm.getAsLong();
          return term == MemberStatus.NOT_LEADING ? engine.get() : askAsLeader(term);
        });
  }

  private CompletableFuture<Void> onThread(Supplier<CompletableFuture<Void>> question) {
    try {
      return CompletableFuture.completedFuture(null)
          .thenComposeAsync(onThatThread -> question.get(), thread);
    } catch (RejectedExecutionException closed) {
      return CompletableFuture.failedFuture(MemberStatus.notRunning());
    }
  }

  /**
   * A leader proposes an empty entry, which the machine does not get: a majority takes it only from
   * the leader of its newest term. Ratis' own question does not do for that: a leader of Ratis does
   * not ask if it has asked before and nothing was committed since.
   */
  private CompletableFuture<Void> askAsLeader(long term) {
    return proposal.propose(term, NOTHING);
  }

  /**
   * For a follower that asks: the index of an entry. Once the follower has applied it, it shows
   * everything that was acknowledged anywhere before this call. Fails if this member does not lead.
   *
   * @param applied the last entry that this member has applied and that reads can tell from the one
   *     before it
   */
  CompletableFuture<Long> index(LongSupplier applied) {
    if (holdsLease()) {
      return CompletableFuture.completedFuture(applied.getAsLong());
    }
    return onThread(
            () -> {
              long term = leadingTerm.getAsLong();
              return term == MemberStatus.NOT_LEADING
                  ? CompletableFuture.failedFuture(new IOException("this member does not lead"))
                  : askAsLeader(term);
            })
        .thenApply(committed -> applied.getAsLong());
  }

  /** An entry of this term, which was proposed after that, is committed: that wins the lease. */
  void committed(long term, long beforeNanos) {
    lease.won(term, beforeNanos);
  }

  /** Whether this member leads, and no other can; begins to ask again before that ends. */
  boolean holdsLease() {
    long term = leadingTerm.getAsLong();
    if (term == MemberStatus.NOT_LEADING || !lease.holds(term)) {
      return false;
    }
    if (lease.isDue() && isBeingRenewed.compareAndSet(false, true)) {
      var unused = begin().whenComplete((done, failed) -> isBeingRenewed.set(false));
    }
    return true;
  }

  /** Ends the lease for the rest of the current term. Returns the term. */
  long barLease() {
    long term = leadingTerm.getAsLong();
    lease.bar(term);
    return term;
  }

  /** Nothing has come of what barred it. */
  void unbarLease(long term) {
    lease.unbar(term);
  }

  void close() {
    thread.shutdown();
  }
}
