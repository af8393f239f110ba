/** The program: configuration, and what composes the map, the HTTP routes and the peers. */
@NullMarked
package io.pensieve.server;

import org.jspecify.annotations.NullMarked;
