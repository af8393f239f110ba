package io.pensieve.server.peers;

import java.net.URI;
import java.util.OptionalLong;

/**
 * Several beats in a row had no answer, for a reason that was not told since the peer last
 * answered.
 *
 * @param url where the peer is reached
 * @param id the peer's node id, once known
 * @param reason why the latest beat had no answer, in one line
 */
public record PeerUnresponsive(URI url, OptionalLong id, String reason) implements PeerEvent {}
