/** The consensus engine: Apache Ratis, behind {@link io.pensieve.replication.consensus}. */
@NullMarked
package io.pensieve.replication.ratis;

import org.jspecify.annotations.NullMarked;
