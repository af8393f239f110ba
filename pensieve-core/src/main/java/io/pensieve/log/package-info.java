/**
 * What a map and its log promise each other: which changes there are, what becomes of them, and how
 * keys and values become bytes. Also the logs that need no files.
 */
@NullMarked
package io.pensieve.log;

import org.jspecify.annotations.NullMarked;
