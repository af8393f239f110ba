package io.pensieve.server.peers;

import java.net.URI;
import java.util.OptionalLong;

/** Something that people want to know of a peer. */
public sealed interface PeerEvent permits PeerStateChange, PeerUnresponsive {
  /** Where the peer is reached. */
  URI url();

  /** The peer's node id, once known. */
  OptionalLong id();
}
