/** A log that lives on several machines: what an embedder and the server use. */
@NullMarked
package io.pensieve.replication;

import org.jspecify.annotations.NullMarked;
