package io.pensieve;

import io.pensieve.log.LogException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * The result of a write that did not wait for the disk.
 *
 * @param applied whether the map was changed: the condition held, or for a removal, the key was
 *     present
 * @param previous the value that the key had, or null if it had none. It is as durable as this
 *     write: rely on it once {@code durable} has completed
 * @param version the sequence number of the change in the log; if nothing was changed, the version
 *     of the existing entry, or 0 if there is none
 * @param durable completes when the write survives what the log promises to survive. If nothing was
 *     changed, it completes when the reason for that survives. Completes exceptionally with a
 *     {@link LogException} if the log failed first. Dependent actions may run on the log's thread
 *     and must not block
 * @param <V> the type of values
 */
public record PendingWrite<V>(
    boolean applied, @Nullable V previous, long version, CompletableFuture<Void> durable) {

  /**
   * Waits until the write is durable. An interrupt does not end the wait; the thread's flag is
   * kept.
   *
   * @return this
   * @throws LogException.Failed if the log failed first; whether the write survives is then unknown
   * @throws LogException.OutcomeUnknown if a replicated log lost its leadership first
   */
  public PendingWrite<V> await() {
    await(durable);
    return this;
  }

  static void await(CompletableFuture<Void> durable) {
    try {
      durable.join();
    } catch (CompletionException failed) {
      if (failed.getCause() instanceof LogException.OutcomeUnknown cause) {
        throw new LogException.OutcomeUnknown(String.valueOf(cause.getMessage()), cause);
      }
      if (failed.getCause() instanceof LogException cause) {
        // With the stack trace of this thread.
        throw new LogException.Failed(String.valueOf(cause.getMessage()), cause);
      }
      throw failed;
    }
  }
}
