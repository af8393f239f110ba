/**
 * How does a request reach its endpoint? The listener, TLS, the router, and the limit of requests
 * in flight; sees access, json, metrics and protocol, but not the map.
 */
@NullMarked
package io.pensieve.server.http.transport;

import org.jspecify.annotations.NullMarked;
