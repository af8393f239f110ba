package io.pensieve.server;

import org.jspecify.annotations.Nullable;

/** The server cannot start, for a reason that the operator can fix. */
final class StartupException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates a failure whose message is shown unchanged, in one line. */
  StartupException(String message, @Nullable Throwable cause) {
    super(message.lines().findFirst().orElse("cannot start"), cause);
  }
}
