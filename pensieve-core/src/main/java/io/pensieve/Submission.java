package io.pensieve;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A write that was made without waiting for the disk.
 *
 * @param previous the value that the key had, or null if it had none. It is as durable as this
 *     write: rely on it when {@code durable} has completed
 * @param version the entry's new version, the sequence number of the change in the log; for a
 *     removal that found nothing, 0
 * @param durable completes when the write survives what the log promises to survive; exceptionally
 *     with a {@link io.pensieve.log.LogException} if the log failed first. Actions that depend on
 *     it may run on the log's thread and must not block
 * @param <V> the type of values
 */
public record Submission<V>(@Nullable V previous, long version, CompletableFuture<Void> durable) {}
