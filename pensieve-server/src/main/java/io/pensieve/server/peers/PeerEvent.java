package io.pensieve.server.peers;

import java.net.URI;
import java.util.OptionalLong;

/** A reportable event of a peer. */
public sealed interface PeerEvent permits PeerStateChange, PeerUnresponsive {
  /** Returns the peer's URL. */
  URI url();

  /** Returns the peer's node id, once known. */
  OptionalLong id();
}
