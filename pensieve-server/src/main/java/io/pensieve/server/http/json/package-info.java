/**
 * How is JSON read and written? A strict reader, a lazy writer, and the problems that reject a
 * request; sees only stored values.
 */
@NullMarked
package io.pensieve.server.http.json;

import org.jspecify.annotations.NullMarked;
