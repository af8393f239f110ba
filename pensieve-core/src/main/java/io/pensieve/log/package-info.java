/**
 * The contract between a map and its log: the kinds of changes, their replay, and the encoding of
 * keys and values as bytes. Also the logs that need no files.
 *
 * <p>A map that keeps its last 1,000 changes for readers, and nothing on a disk:
 *
 * <pre>{@code
 * try (var map = Pensieve.<String, Long>builder().log(Log.inMemory(1_000)).open();
 *     ChangeStream<String, Long> changes = map.changes()) {
 *   map.put("a", 1L);
 * }
 * }</pre>
 */
@NullMarked
package io.pensieve.log;

import org.jspecify.annotations.NullMarked;
