package io.pensieve;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The result of a read, which may not be durable yet.
 *
 * @param entry the key's entry, or null if it has none
 * @param durable completes when the result survives what the log promises to survive; only then may
 *     it be shown. Completes exceptionally with a {@link io.pensieve.log.LogException} if the log
 *     failed first. Dependent actions may run on the log's thread and must not block
 * @param expired whether there is no entry because it has expired on a standby, whose log has not
 *     removed it yet. By the clock of the node that leads, it may have been replaced before that;
 *     the change may still be on its way here. Only that node knows
 * @param <V> the type of values
 */
public record PendingRead<V>(
    @Nullable Versioned<V> entry, CompletableFuture<Void> durable, boolean expired) {}
