package io.pensieve.server.command;

/** The arguments, the environment or a local file are wrong. The message is one line. */
final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UsageException(String message) {
    super(message);
  }
}
