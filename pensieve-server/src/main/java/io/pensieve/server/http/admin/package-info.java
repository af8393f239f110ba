/** The routes for whoever operates a server. */
@NullMarked
package io.pensieve.server.http.admin;

import org.jspecify.annotations.NullMarked;
