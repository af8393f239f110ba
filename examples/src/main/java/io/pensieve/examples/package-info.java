/** Small programs that embed Pensieve. */
@NullMarked
package io.pensieve.examples;

import org.jspecify.annotations.NullMarked;
