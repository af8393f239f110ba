/** Three nodes, as they are started from {@code examples/cluster}. */
@NullMarked
package io.pensieve.examples.cluster;

import org.jspecify.annotations.NullMarked;
