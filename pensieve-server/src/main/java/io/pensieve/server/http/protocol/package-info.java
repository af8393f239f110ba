/**
 * Heads, bodies, queries and conditions of requests; responses; exceptions become statuses in one
 * place.
 */
@NullMarked
package io.pensieve.server.http.protocol;

import org.jspecify.annotations.NullMarked;
