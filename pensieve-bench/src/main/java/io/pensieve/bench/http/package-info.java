/** What stands beside the server in its benchmarks: bare servers and hostile clients. */
@NullMarked
package io.pensieve.bench.http;

import org.jspecify.annotations.NullMarked;
