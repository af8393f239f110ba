package io.pensieve.server.peers;

import java.net.URI;
import java.util.OptionalLong;

/**
 * The state of a peer at the last check.
 *
 * @param url the peer's URL
 * @param id the peer's node id, once known
 * @param state the state, as this node sees it
 * @param phi how unlikely its silence is: a silence this long or longer has the probability {@code
 *     10^-phi}. From 0 to 100; 100 also means never heard from
 * @param lastHeardMillis how long ago it was last heard from, in milliseconds; empty for never
 * @param sinceMillis how long ago it entered this state, in milliseconds
 */
public record PeerView(
    URI url,
    OptionalLong id,
    PeerState state,
    double phi,
    OptionalLong lastHeardMillis,
    long sinceMillis) {}
