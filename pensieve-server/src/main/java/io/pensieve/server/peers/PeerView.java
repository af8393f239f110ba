package io.pensieve.server.peers;

import java.net.URI;
import java.util.OptionalLong;

/**
 * What a node knew of a peer when it last looked.
 *
 * @param url where the peer is reached
 * @param id the peer's node id, once known
 * @param state what this node thinks of it
 * @param phi how unlikely its silence is: a silence this long or longer has the probability {@code
 *     10^-phi}. From 0 to 100; 100 also stands for never heard from
 * @param lastHeardMillis how long ago it was last heard from, in milliseconds; empty for never
 * @param sinceMillis how long ago it came into this state, in milliseconds
 */
public record PeerView(
    URI url,
    OptionalLong id,
    PeerState state,
    double phi,
    OptionalLong lastHeardMillis,
    long sinceMillis) {}
