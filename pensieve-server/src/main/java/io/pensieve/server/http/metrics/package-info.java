/** What a server counts, logs and warns of. */
@NullMarked
package io.pensieve.server.http.metrics;

import org.jspecify.annotations.NullMarked;
