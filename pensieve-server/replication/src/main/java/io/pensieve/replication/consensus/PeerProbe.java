package io.pensieve.replication.consensus;

import java.util.Optional;

/** Asks another node what it knows of the cluster. */
@FunctionalInterface
public interface PeerProbe {

  /**
   * Asks a peer. Blocks for a second or two at most.
   *
   * @return what the peer's {@link Founding#state()} says; empty if it does not answer
   */
  Optional<FoundingState> ask(Member peer);
}
