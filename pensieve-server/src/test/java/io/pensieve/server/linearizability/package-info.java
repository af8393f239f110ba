/** Histories of a key as its clients saw them, and whether one order of them explains all. */
@NullMarked
package io.pensieve.server.linearizability;

import org.jspecify.annotations.NullMarked;
