package io.pensieve.server.peers;

/** The state of a peer, as this node sees it. */
public enum PeerState {
  /** Heard from as recently as its rhythm predicts. */
  ALIVE,

  /** Silent for longer than its rhythm explains, but not for longer than a pause may take. */
  SUSPECT,

  /** Silent for longer than a pause explains, or not heard from since this node started. */
  DEAD
}
