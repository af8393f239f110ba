package io.pensieve.server.command;

/** The exit codes of all commands. They are part of the API. */
final class ExitCode {
  static final int DONE = 0;

  /** There is no such key, a condition does not hold, or the server is not well. */
  static final int NO = 1;

  /** The arguments, the environment or a local file are wrong. */
  static final int USAGE = 2;

  /** The server refused. */
  static final int REFUSED = 3;

  /** No server answers, or the connection broke. */
  static final int UNREACHABLE = 4;

  /** The token is missing, unknown, or allows less. */
  static final int FORBIDDEN = 5;

  /** Nobody takes the output. */
  static final int OUTPUT_BROKEN = 6;

  private ExitCode() {}
}
