/** Who is alive: heartbeats and failure detection. No HTTP types in the detector. */
@NullMarked
package io.pensieve.server.peers;

import org.jspecify.annotations.NullMarked;
