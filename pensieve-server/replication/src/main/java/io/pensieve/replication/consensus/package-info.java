/** What replication needs of a consensus engine, without any type of a particular one. */
@NullMarked
package io.pensieve.replication.consensus;

import org.jspecify.annotations.NullMarked;
