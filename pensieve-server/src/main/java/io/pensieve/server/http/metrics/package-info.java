/**
 * What does a server count, log and warn about? Metrics, access log and alarms; sees no other
 * package of the server.
 */
@NullMarked
package io.pensieve.server.http.metrics;

import org.jspecify.annotations.NullMarked;
