package io.pensieve.server.peers;

import java.net.URI;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A peer came into another state.
 *
 * @param url where the peer is reached
 * @param id the peer's node id, once known
 * @param from the state it leaves
 * @param to the state it comes into
 * @param silentMillis how long it has been silent, or, if it is back, had been silent, in
 *     milliseconds; empty if this is the first time it was heard from
 * @param reason why the latest beat had no answer, in one line; empty if it had one or is under way
 */
public record PeerStateChange(
    URI url,
    OptionalLong id,
    PeerState from,
    PeerState to,
    OptionalLong silentMillis,
    Optional<String> reason)
    implements PeerEvent {}
