/**
 * Who may call a route? Roles, tokens, and the allowed host names; sees requests, and problems from
 * json.
 */
@NullMarked
package io.pensieve.server.http.access;

import org.jspecify.annotations.NullMarked;
