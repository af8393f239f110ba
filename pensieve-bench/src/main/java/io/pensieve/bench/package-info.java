/** Benchmarks: each class states its question and its command. */
@NullMarked
package io.pensieve.bench;

import org.jspecify.annotations.NullMarked;
