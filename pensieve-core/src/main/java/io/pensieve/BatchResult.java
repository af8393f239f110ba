package io.pensieve;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The result of an {@link AtomicBatch}: either all of it was applied, or it was refused and nothing
 * was.
 *
 * @param results one for each operation, in order; none if the batch was refused
 * @param failure why it was refused; empty if it was applied
 * @param durable completes when this result survives what the log promises to survive: the changes,
 *     what was read, or the reason of the refusal. Completes exceptionally with a {@link
 *     io.pensieve.log.LogException} if the log failed first. Dependent actions may run on the log's
 *     thread and must not block
 * @param <V> the type of values
 */
public record BatchResult<V>(
    List<OperationResult<V>> results,
    Optional<Failure<V>> failure,
    CompletableFuture<Void> durable) {

  /**
   * The result of one operation.
   *
   * @param previous the key's value before it, or null if there was none
   * @param entry the key's entry after it, or null if there is none. A batch changes each key at
   *     most once: if this batch wrote the key, the version is that of this change. It is 0 if the
   *     key was absent before and is again
   * @param changed whether it wrote the key, or removed a value
   */
  public record OperationResult<V>(
      @Nullable V previous, @Nullable Versioned<V> entry, boolean changed) {}

  /**
   * The operation for which the batch was refused.
   *
   * @param operation its index, from 0
   * @param reason why
   * @param entry the entry of its key before the batch, which is unchanged; null if there is none
   */
  public record Failure<V>(int operation, Reason reason, @Nullable Versioned<V> entry) {}

  /** Why a batch is refused. */
  public enum Reason {
    /** The key does not have the required version, or is not absent. */
    REQUIREMENT,
    /** The value to increment is not a number. */
    NOT_A_NUMBER,
    /** The sum would overflow a {@code long}. */
    OVERFLOW
  }

  /** Whether the batch was applied, and not refused. */
  public boolean applied() {
    return failure.isEmpty();
  }

  /**
   * Waits until this result is durable. An interrupt does not end the wait; the thread's flag is
   * kept.
   *
   * @return this
   * @throws io.pensieve.log.LogException.Failed if the log failed first; whether the changes
   *     survive is then unknown
   * @throws io.pensieve.log.LogException.OutcomeUnknown if a replicated log lost its leadership
   *     first
   */
  public BatchResult<V> await() {
    PendingWrite.await(durable);
    return this;
  }
}
