/**
 * How do clients receive changes? The hub, event streams and long polls; sees the map's change
 * streams, and json, protocol, transport and value.
 */
@NullMarked
package io.pensieve.server.http.changes;

import org.jspecify.annotations.NullMarked;
