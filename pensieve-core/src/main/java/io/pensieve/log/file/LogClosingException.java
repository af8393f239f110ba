package io.pensieve.log.file;

/** Ends a compaction or backup of a log that is being closed. No codec can throw it. */
final class LogClosingException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  LogClosingException() {
    super("the log is being closed", null, false, false);
  }
}
