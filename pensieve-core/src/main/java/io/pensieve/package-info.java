/**
 * A durable LRU map. {@link io.pensieve.Pensieve} composes the bounded LRU table ({@code
 * io.pensieve.lru}) with the log ({@link io.pensieve.log}).
 *
 * <p>A cache of answers that a restart does not lose, none of them older than an hour:
 *
 * <pre>{@code
 * try (var answers =
 *     Pensieve.<String, String>builder()
 *         .maximumEntries(100_000)
 *         .expireAfterWrite(Duration.ofHours(1))
 *         .log(FileLog.at(folder, Codec.utf8(), Codec.utf8()))
 *         .open()) {
 *   String answer = answers.get("question", question -> service.ask(question));
 *   Map<String, String> several = answers.getAll(List.of("a", "b"), service::askAll);
 * }
 * }</pre>
 *
 * <p>Sessions that end when nobody uses them, and a value that nobody else may have changed:
 *
 * <pre>{@code
 * try (var sessions =
 *     Pensieve.<UUID, String>builder()
 *         .expireAfterAccess(Duration.ofMinutes(30))
 *         .log(FileLog.at(folder, Codec.uuid(), Codec.utf8()))
 *         .open()) {
 *   UUID id = UUID.randomUUID();
 *   sessions.put(id, "new");
 *   Versioned<String> seen = sessions.getVersioned(id);
 *   boolean mine = sessions.replaceIfVersion(id, seen.version(), "signed in");
 * }
 * }</pre>
 */
@NullMarked
package io.pensieve;

import org.jspecify.annotations.NullMarked;
