/**
 * What does the map store, and how is the heap divided? Stored values, their weights and
 * conditional writes; sees the map, but no HTTP.
 */
@NullMarked
package io.pensieve.server.http.value;

import org.jspecify.annotations.NullMarked;
