/** The bytes of replication: entries of the cluster's log, and snapshot files. */
@NullMarked
package io.pensieve.replication.format;

import org.jspecify.annotations.NullMarked;
