/** What is stored, and how the heap is shared out. */
@NullMarked
package io.pensieve.server.http.value;

import org.jspecify.annotations.NullMarked;
