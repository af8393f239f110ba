/** The listener, TLS, the router, and how many requests are served at a time. */
@NullMarked
package io.pensieve.server.http.transport;

import org.jspecify.annotations.NullMarked;
