/** Which node serves a request: this one, or the leader of its cluster. */
@NullMarked
package io.pensieve.server.http.replication;

import org.jspecify.annotations.NullMarked;
