package io.pensieve;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What became of an {@link AtomicBatch}: all of it was done, or it was refused and nothing was.
 *
 * @param results one for each operation, in order; none if the batch was refused
 * @param failure why it was refused; empty if it was done
 * @param durable completes when all that this tells survives what the log promises to survive: the
 *     changes, what was read, or the reason of the refusal; exceptionally with a {@link
 *     io.pensieve.log.LogException} if the log failed first. Actions that depend on it may run on
 *     the log's thread and must not block
 * @param <V> the type of values
 */
public record BatchResult<V>(
    List<OperationResult<V>> results,
    Optional<Failure<V>> failure,
    CompletableFuture<Void> durable) {

  /**
   * What one operation has found and done.
   *
   * @param previous the key's value before it, or null if there was none
   * @param entry the key's entry after it, or null if there is none. A key has at most one change
   *     in a batch: if operations of this one have written it, its version is that of all they did
   *     together, or 0 if the key was absent before and is again
   * @param changed whether it wrote the key, or removed a value
   */
  public record OperationResult<V>(
      @Nullable V previous, @Nullable Versioned<V> entry, boolean changed) {}

  /**
   * The operation for which the batch was refused.
   *
   * @param operation which one, counted from 0
   * @param reason why
   * @param entry the entry of its key as it was before the batch, and still is; null if there is
   *     none
   */
  public record Failure<V>(int operation, Reason reason, @Nullable Versioned<V> entry) {}

  /** Why a batch is refused. */
  public enum Reason {
    /** The key does not have the required version, or is not absent. */
    REQUIREMENT,
    /** The value that is to be incremented is not a number. */
    NOT_A_NUMBER,
    /** The number would be beyond a {@code long}. */
    OVERFLOW
  }

  /** Whether the batch was done, and not refused. */
  public boolean applied() {
    return failure.isEmpty();
  }

  /**
   * Waits until this is durable, also if interrupted: the flag is kept.
   *
   * @return this
   * @throws io.pensieve.log.LogException.Failed if the log failed first; whether the changes
   *     survive is then not known
   */
  public BatchResult<V> await() {
    PendingWrite.await(durable);
    return this;
  }
}
