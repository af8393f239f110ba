package io.pensieve.log.file;

import io.pensieve.log.LogException;
import io.pensieve.log.RecoveryReport;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Writes a line for the operator when a log fails, when an opening cuts a torn tail, or when a
 * compaction backs off. Its methods throw nothing.
 */
final class OperatorLog {
  // The line is written last. By then the state is stored and the waiters are released. No lock is
  // held that a reader, a writer or close() waits for. So a logger that throws, blocks or has no
  // memory does no harm. One cost: an opening that cut a tail returns only when its line is
  // written. The first line requests the logger: most logs write none, and Java's own backend takes
  // time to start.

  // The door's name, since that is what an operator may know: io.pensieve.log.file.FileLog.
  private static final String LOGGER_NAME = OperatorLog.class.getPackageName() + ".FileLog";

  private final Supplier<System.Logger> logger;

  OperatorLog(Supplier<System.Logger> logger) {
    this.logger = logger;
  }

  /** Uses the logger named after {@code FileLog}. */
  static OperatorLog ofSystem() {
    return new OperatorLog(() -> System.getLogger(LOGGER_NAME));
  }

  /** Reports that the log has failed. Answers whether the line is written. */
  boolean failed(LogException.Failed failure) {
    try {
      logger.get().log(Level.ERROR, failure.getMessage());
      return true;
    } catch (Throwable cannotBeLogged) {
      return false;
    }
  }

  /** Reports a torn tail that the opening cut, if there was one. */
  void opened(RecoveryReport report) {
    try {
      report.tornTail().ifPresent(tail -> logger.get().log(Level.WARNING, line(tail)));
    } catch (Throwable cannotBeLogged) {
      // No other way to report it.
    }
  }

  private static String line(RecoveryReport.TornTail tail) {
    return tail.file()
        + ": a torn tail of "
        + tail.bytes()
        + " bytes was cut off at offset "
        + tail.offset()
        + " and kept as "
        + tail.copy();
  }

  /** Reports a failed compaction. No automatic one begins for so many nanoseconds. */
  void backsOff(Path folder, Throwable cause, long nanos) {
    try {
      long seconds = TimeUnit.NANOSECONDS.toSeconds(nanos);
      logger
          .get()
          .log(
              Level.WARNING,
              folder + ": a compaction failed, the next one waits for " + seconds + " s: " + cause);
    } catch (Throwable cannotBeLogged) {
      // No other way to report it.
    }
  }
}
