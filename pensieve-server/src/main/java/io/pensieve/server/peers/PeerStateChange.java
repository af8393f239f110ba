package io.pensieve.server.peers;

import java.net.URI;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A peer changed its state.
 *
 * @param url the peer's URL
 * @param id the peer's node id, once known
 * @param from the old state
 * @param to the new state
 * @param silentMillis how long the peer has been silent, or was silent if it is back, in
 *     milliseconds; empty if this is the first time it was heard from
 * @param reason why the latest heartbeat had no response, in one line; empty if it had one or is in
 *     flight
 */
public record PeerStateChange(
    URI url,
    OptionalLong id,
    PeerState from,
    PeerState to,
    OptionalLong silentMillis,
    Optional<String> reason)
    implements PeerEvent {}
