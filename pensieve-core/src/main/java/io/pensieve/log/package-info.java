/**
 * The contract between a map and its log: the kinds of changes, their replay, and the encoding of
 * keys and values as bytes. Also the logs that need no files.
 */
@NullMarked
package io.pensieve.log;

import org.jspecify.annotations.NullMarked;
