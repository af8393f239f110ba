/** Changes as they are made: the hub, event streams, and requests that wait for a change. */
@NullMarked
package io.pensieve.server.http.changes;

import org.jspecify.annotations.NullMarked;
