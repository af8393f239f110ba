/** A node of a replicating cluster: how it finds its cluster, and how it takes part. */
@NullMarked
package io.pensieve.server.replication;

import org.jspecify.annotations.NullMarked;
