/** Benchmarks of three nodes that are one store, in processes of their own. */
@NullMarked
package io.pensieve.bench.cluster;

import org.jspecify.annotations.NullMarked;
