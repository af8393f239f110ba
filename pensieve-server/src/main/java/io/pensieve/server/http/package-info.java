/**
 * Which URL does what? The routes and their endpoints, composed into an HTTP server; sees the map
 * and all packages below, but not peers or configuration.
 */
@NullMarked
package io.pensieve.server.http;

import org.jspecify.annotations.NullMarked;
