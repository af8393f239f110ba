/** Who may do what: roles, tokens, and the names under which a server answers. */
@NullMarked
package io.pensieve.server.http.access;

import org.jspecify.annotations.NullMarked;
