/** Routes, handlers, strict JSON, and the one place where exceptions become statuses. */
@NullMarked
package io.pensieve.server.http;

import org.jspecify.annotations.NullMarked;
