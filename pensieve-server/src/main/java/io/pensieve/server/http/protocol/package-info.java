/**
 * What does an HTTP message mean? Heads, bodies, queries and conditions of requests, responses, and
 * the mapping of exceptions to statuses; sees json and value, but no routes.
 */
@NullMarked
package io.pensieve.server.http.protocol;

import org.jspecify.annotations.NullMarked;
