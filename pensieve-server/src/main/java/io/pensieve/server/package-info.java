/**
 * How does a server start and stop? Parses the configuration, and composes the map, the HTTP server
 * and the peers; sees all other packages.
 */
@NullMarked
package io.pensieve.server;

import org.jspecify.annotations.NullMarked;
