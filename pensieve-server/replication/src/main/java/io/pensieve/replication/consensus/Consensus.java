package io.pensieve.replication.consensus;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A member of a cluster that agrees on a sequence of entries, by Raft (Ongaro and Ousterhout,
 * 2014). An entry is committed once a majority has forced it to disk. Thread-safe.
 */
public interface Consensus extends AutoCloseable {

  /**
   * Starts this member. It gives the machine every committed entry after its saved state.
   *
   * @throws IOException if it cannot start; nothing is left open or running then
   */
  void start(StateMachine machine) throws IOException;

  /**
   * Proposes an entry. Entries that one thread proposes one after another keep their order. Does
   * not wait for the network.
   *
   * @param term the term in which this node leads. In another term the entry is refused, or void
   * @return completes when the entry is committed and was applied here; exceptionally if it was
   *     refused, or if its outcome is unknown: it may still be committed later
   */
  CompletableFuture<Void> propose(long term, byte[] entry);

  /**
   * Completes when this node has applied everything that was committed anywhere before this call:
   * reads after it are linearizable. On any node. Fails if no leader answers. Does not wait, also
   * not where another barrier completes, which may be the thread that applies entries.
   */
  CompletableFuture<Void> readBarrier();

  /**
   * Whether this member leads, and no other one can lead now. So everything that is committed
   * anywhere was proposed here, or was applied here when this lead began. Asks nobody; what it says
   * holds at a moment during this call.
   */
  default boolean holdsLease() {
    return false;
  }

  /** The state of this member, as it knows it now. */
  ConsensusStatus status();

  /** How long this member's disk takes. None (default) if the engine does not know. */
  default ForceLatency forceLatency() {
    return ForceLatency.NONE;
  }

  /**
   * Hands the leadership over to a member.
   *
   * @param to the member's id; empty for the one that is most up to date
   * @return fails if this node does not lead, or if nobody takes over in time
   */
  CompletableFuture<Void> transferLeadership(Optional<String> to, Duration patience);

  /**
   * Sets the members of the cluster. Fails if this node does not lead, or in the middle of another
   * change.
   */
  CompletableFuture<Void> setMembers(List<Member> members);

  /**
   * Keeps a saved state of the machine, and forgets the entries before it, but for some for slow
   * members.
   *
   * @param position the last entry that the state contains; it may contain later ones in part
   * @param file in {@link #temporaryFolder}; is moved from there
   */
  void saveSnapshot(LogPosition position, Path file) throws IOException;

  /** A folder on the same file system as the snapshots, emptied at each start. */
  Path temporaryFolder();

  /** Stops this member, in order. A second call does nothing. */
  @Override
  void close();
}
