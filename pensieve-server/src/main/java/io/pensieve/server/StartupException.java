package io.pensieve.server;

import org.jspecify.annotations.Nullable;

/** The server cannot start, for a reason that whoever started it can do something about. */
final class StartupException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** A failure with a message that is shown as it is, in one line. */
  StartupException(String message, @Nullable Throwable cause) {
    super(message.lines().findFirst().orElse("cannot start"), cause);
  }
}
