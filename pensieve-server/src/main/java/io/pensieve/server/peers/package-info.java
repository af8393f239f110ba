/**
 * Which nodes are alive? Sends heartbeats, and detects failures. Sees the JDK, sockets and TLS, but
 * not the map; the detector sees only times.
 */
@NullMarked
package io.pensieve.server.peers;

import org.jspecify.annotations.NullMarked;
