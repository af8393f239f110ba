/** Servers as processes, clients that remember what they were told, and what may happen to both. */
@NullMarked
package io.pensieve.server.cluster;

import org.jspecify.annotations.NullMarked;
