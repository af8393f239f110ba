package io.pensieve.server.peers;

import java.net.URI;
import java.util.OptionalLong;

/**
 * Several heartbeats in a row had no response, for a reason not yet reported since the last
 * response.
 *
 * @param url the peer's URL
 * @param id the peer's node id, once known
 * @param reason why the latest heartbeat had no response, in one line
 */
public record PeerUnresponsive(URI url, OptionalLong id, String reason) implements PeerEvent {}
