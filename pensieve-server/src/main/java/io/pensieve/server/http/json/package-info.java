/** JSON, read strictly and written piece by piece, and the problems that a request can have. */
@NullMarked
package io.pensieve.server.http.json;

import org.jspecify.annotations.NullMarked;
