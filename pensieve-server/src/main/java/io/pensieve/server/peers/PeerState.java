package io.pensieve.server.peers;

/** What a node thinks of a peer. */
public enum PeerState {
  /** Heard from as recently as its rhythm lets expect. */
  ALIVE,

  /** Silent for longer than its rhythm explains, but not for longer than a pause may take. */
  SUSPECT,

  /** Silent for longer than a pause explains, or not heard from since this node started. */
  DEAD
}
