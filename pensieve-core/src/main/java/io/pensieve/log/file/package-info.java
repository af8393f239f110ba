/**
 * Decides what to remember: changes, as bytes in files. {@link io.pensieve.log.file.FileLog} is the
 * entry point. The package has no eviction policy: another package decides which entry to forget,
 * and sends a {@link io.pensieve.log.Change.Remove}.
 *
 * <pre>{@code
 * record User(String name, int age) {}
 *
 * FileLog<UUID, User> log =
 *     FileLog.at(folder, Codec.uuid(), Codec.record(User.class))
 *         .durability(Durability.POWER_CUT)
 *         .maximumEntryBytes(64 << 10);
 * try (var users = Pensieve.<UUID, User>builder().log(log).open()) {
 *   users.put(UUID.randomUUID(), new User("ann", 40));
 * }
 * }</pre>
 */
@NullMarked
package io.pensieve.log.file;

import org.jspecify.annotations.NullMarked;
