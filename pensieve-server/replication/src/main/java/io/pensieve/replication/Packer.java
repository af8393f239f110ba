package io.pensieve.replication;

import io.pensieve.replication.consensus.Consensus;
import java.util.concurrent.CompletableFuture;

/** Proposes what waits, in order: one thread, because the engine keeps the order of a thread. */
final class Packer<K, V> implements Runnable {
  private final int loadedAt; // with more changes than that uncommitted, uses do not matter
  private final Leadership<K, V> leadership;
  private final Touches<K, V> touches;
  private final Consensus consensus;

  Packer(
      RaftSettings settings,
      Leadership<K, V> leadership,
      Touches<K, V> touches,
      Consensus consensus) {
    this.loadedAt = settings.entriesUnderWay() * settings.changesPerEntry();
    this.leadership = leadership;
    this.touches = touches;
    this.consensus = consensus;
  }

  @Override
  public void run() {
    try {
      for (ProposedEntry<K, V> next = leadership.awaitProposal();
          next != null;
          next = leadership.awaitProposal()) {
        propose(next);
      }
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    }
  }

  /** Proposes the next entry, without waiting for one. Returns whether there was one. */
  boolean proposeNext() {
    ProposedEntry<K, V> next = leadership.nextProposal();
    if (next != null) {
      propose(next);
    }
    return next != null;
  }

  /** Proposes an entry. If that fails, now or later, the lead begins anew. */
  private void propose(ProposedEntry<K, V> entry) {
    CompletableFuture<Void> outcome;
    try {
      if (!entry.header().isBegin()) {
        touches.addTo(entry, leadership.waitingChanges() > loadedAt);
      }
      outcome = consensus.propose(entry.header().term(), entry.encode());
    } catch (RuntimeException | Error notProposed) {
      leadership.proposalFailed(entry);
      return;
    }
    CompletableFuture<Void> unused =
        outcome.whenComplete(
            (applied, failure) -> {
              if (failure != null) {
                leadership.proposalFailed(entry);
              }
            });
  }
}
