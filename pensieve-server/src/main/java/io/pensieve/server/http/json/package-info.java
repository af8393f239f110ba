/**
 * How is JSON read and written? A strict reader, a lazy writer, and the problems that reject a
 * request; sees stored values, the map's types and HTTP status codes.
 */
@NullMarked
package io.pensieve.server.http.json;

import org.jspecify.annotations.NullMarked;
