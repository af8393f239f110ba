package io.pensieve.server.linearizability;

import java.util.Locale;

/**
 * A request, its answer, and when: the time is that of one clock for all clients. An operation
 * whose outcome is unknown never completes.
 */
public record Operation(
    String client, Request request, Answer answer, long invokedNanos, long completedNanos) {

  /** When an operation completes whose outcome is unknown. */
  public static final long NEVER = Long.MAX_VALUE;

  public Operation {
    if (answer instanceof Answer.Unknown != (completedNanos == NEVER)) {
      throw new IllegalArgumentException("completes when its outcome is known: " + answer);
    }
    if (completedNanos < invokedNanos) {
      throw new IllegalArgumentException("completed before it was invoked");
    }
  }

  boolean isUnknown() {
    return completedNanos == NEVER;
  }

  /** The same before it completed. */
  Operation withoutAnswer() {
    return new Operation(client, request, new Answer.Unknown(), invokedNanos, NEVER);
  }

  @Override
  public String toString() {
    String interval =
        isUnknown()
            ? String.format(Locale.ROOT, "[%.6f s, )", invokedNanos / 1e9)
            : String.format(
                Locale.ROOT, "[%.6f s, %.6f s]", invokedNanos / 1e9, completedNanos / 1e9);
    return interval + " " + client + ": " + request + " -> " + answer;
  }
}
