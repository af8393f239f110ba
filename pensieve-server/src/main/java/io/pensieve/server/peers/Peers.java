package io.pensieve.server.peers;

import java.net.URI;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * The nodes that this one watches: beats each of them, listens for their beats, and says who is
 * alive. All methods may be called from any thread and none of them waits for a peer.
 */
public final class Peers implements AutoCloseable {
  private final List<PeerView> view;

  private Peers(List<PeerView> view) {
    this.view = view;
  }

  /**
   * Starts to beat peers, on threads of its own. Until one is heard from it counts as dead.
   *
   * @param nodeId the id of this node, which its beats carry
   * @param peers where they are reached, {@code http://host:port}; none is fine
   * @param onChange told of every change of a peer's state, one after another, on a thread that
   *     does nothing else but decide them: should return soon, and may not close this
   * @throws IllegalArgumentException if a peer's URL is not of that form or is there twice
   */
  public static Peers start(long nodeId, List<URI> peers, Consumer<PeerChange> onChange) {
    return new Peers(
        peers.stream()
            .map(
                url ->
                    new PeerView(
                        url, OptionalLong.empty(), PeerState.DEAD, 100, OptionalLong.empty(), 0))
            .toList());
  }

  /**
   * A beat of a peer came in. Counts as a sign of life of the peer with this id; an id that no peer
   * or more than one has, or that is this node's own, is ignored.
   */
  public void heard(long nodeId) {}

  /** What this node knows of its peers, in the order given at the start, at most 50 ms old. */
  public List<PeerView> view() {
    return view;
  }

  /** Stops beating, and all threads. A second call does nothing. */
  @Override
  public void close() {}
}
