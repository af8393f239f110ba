package io.pensieve;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What a read has found, before it is known whether that is durable.
 *
 * @param entry the key's entry, or null if it has none
 * @param durable completes when what was found survives what the log promises to survive; only then
 *     may it be told. Exceptionally with a {@link io.pensieve.log.LogException} if the log failed
 *     first. Actions that depend on it may run on the log's thread and must not block
 * @param <V> the type of values
 */
public record PendingRead<V>(@Nullable Versioned<V> entry, CompletableFuture<Void> durable) {}
